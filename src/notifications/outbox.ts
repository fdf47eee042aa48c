import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable, RowChange } from '../storage/partition-table'
import type { TenantTable } from '../storage/tenant-table'
import { NOTICES_JOINED_MAX, type Delivery, type DeliveryId } from './delivery'
import { boundedNotice, NOTICE_KEPT_MS, type Notice, type Notifications } from './notice'
import { deliveryRow, dueRow, noticeKey, noticeRow, operatorsScope, ownerOf } from './outbox-rows'
import { planDeliveries, singleId, type PlannedDelivery } from './plan-deliveries'
import type { Subscriptions } from './subscriptions'

/** A notice as it is kept. */
export interface KeptNotice {
  readonly notice: Notice
  /** Unix milliseconds. */
  readonly publishedAt: number
  readonly forgetAt: number
  /** In which it is told. */
  readonly deliveries: readonly DeliveryId[]
}

export interface OutboxRows {
  /** Notices and deliveries, of each owner. */
  readonly owned: TenantTable<Columns>
  /** What is due when, and dead letters. */
  readonly index: PartitionTable<Columns>
}

export interface OutboxDeps {
  readonly rows: OutboxRows
  readonly subscriptions: Pick<Subscriptions, 'listening'>
  /** Whether a tenant is there to be told something: nothing is written for one that has gone. */
  readonly isThere: (tenantId: TenantId) => Promise<boolean>
  readonly clock: Clock
  /** Something is due: called behind each notice that is written. */
  readonly wake: () => void
}

/** Each attempt is lost to another notice that joins the same message, or to another publisher of the same one. */
const ATTEMPTS_MAX = 20

export function createOutbox(deps: OutboxDeps): Notifications {
  const { rows, subscriptions, isThere, clock, wake } = deps
  return {
    publish: async (given) => {
      const notice = boundedNotice(given)
      const owner = ownerOf(notice)
      if (owner.tenantId !== operatorsScope.tenantId && !(await isThere(owner.tenantId))) return
      const own = rows.owned.partition(owner)
      const key = noticeKey(notice.id)
      // Once, so that a repeated attempt plans as the first one did.
      const nowMs = clock.now()
      const plans = planDeliveries(notice, await subscriptions.listening(owner), nowMs)
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (await own.get(noticeRow(key))) return
        const writes = await Promise.all(plans.map((plan) => deliveryWrite(own, plan, { key, notice, nowMs })))
        const deliveries = writes.map(({ delivery }) => delivery)
        const kept: KeptNotice = {
          notice,
          publishedAt: nowMs,
          forgetAt: nowMs + NOTICE_KEPT_MS,
          deliveries: deliveries.map(({ id }) => id),
        }
        // Before what they lead to (O1).
        await Promise.all([
          rows.index.put(dueRow(kept.forgetAt, owner.tenantId, noticeRow(key)), {}),
          ...deliveries.map(({ id, dueAt }) => rows.index.put(dueRow(dueAt, owner.tenantId, deliveryRow(id)), {})),
        ])
        const insert: RowChange<Columns> = { kind: 'insert', rowKey: noticeRow(key), columns: toJsonColumns(kept) }
        const written = await own.change([insert, ...writes.map(({ change }) => change)])
        if (written.kind === 'lost-race') continue
        if (deliveries.some(({ dueAt }) => dueAt <= nowMs)) wake()
        return
      }
      throw new Error(`the notice ${notice.id} lost every race to be written`)
    },
  }
}

interface DeliveryWrite {
  readonly delivery: Delivery
  readonly change: RowChange<Columns>
}

/** A delivery of its own, or one that waits for the same time, with this notice among its others. */
async function deliveryWrite(
  own: PartitionTable<Columns>,
  plan: PlannedDelivery,
  { key, notice, nowMs }: { key: string; notice: Notice; nowMs: number },
): Promise<DeliveryWrite> {
  if (!plan.isJoined) return newDelivery(plan, plan.id, { key, dueAt: plan.dueAt })
  const row = await own.get(deliveryRow(plan.id))
  if (!row) return newDelivery(plan, plan.id, { key, dueAt: plan.dueAt })
  const known = fromJsonColumns<Delivery>(row.columns)
  // It went out meanwhile, by a clock that is ahead: this one goes by itself.
  if (known.state.kind !== 'waiting' || known.attempts > 0) {
    return newDelivery(plan, singleId(plan.subscription, notice), { key, dueAt: nowMs })
  }
  const isFull = known.notices.length >= NOTICES_JOINED_MAX
  const delivery: Delivery = isFull
    ? { ...known, more: known.more + 1 }
    : { ...known, notices: [...known.notices, key] }
  const columns = toJsonColumns(delivery)
  return { delivery, change: { kind: 'replace', rowKey: row.rowKey, columns, etag: row.etag } }
}

function newDelivery(
  { subscription }: PlannedDelivery,
  id: DeliveryId,
  { key, dueAt }: { key: string; dueAt: number },
): DeliveryWrite {
  const delivery: Delivery = {
    id,
    subscriptionId: subscription.id,
    notices: [key],
    more: 0,
    state: { kind: 'waiting' },
    firstDueAt: dueAt,
    dueAt,
    attempts: 0,
  }
  return { delivery, change: { kind: 'insert', rowKey: deliveryRow(id), columns: toJsonColumns(delivery) } }
}
