import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable, RowChange } from '../storage/partition-table'
import {
  acknowledged,
  mitigated,
  PLATFORM,
  raised,
  resolved,
  type Alert,
  type AlertEvent,
  type AlertState,
  type AlertStep,
  type RaisedAlert,
  type Remark,
} from './alert'
import type { AlertKind } from './alert-kinds'
import { alertKey, alertRow, listBounds, placeColumns, placesOf, tellRow } from './alert-rows'

export type { Alert, RaisedAlert } from './alert'

export interface Alerts {
  raise(alert: RaisedAlert): Promise<void>
  /** For what happens once: an alert of this id that is there already stays as it is, whoever raised it. */
  raiseOnce(alert: RaisedAlert): Promise<void>
  /** What it does to others is held off. Without a live alert of this id nothing happens. */
  mitigate(id: string, note?: string): Promise<void>
  /** What was wrong is mended. Without a live alert of this id nothing happens. */
  resolve(id: string, note?: string): Promise<void>
  /** The alert as it is then; one that is not open stays as it is. Undefined where there is none. */
  acknowledge(id: string, remark: Remark): Promise<Alert | undefined>
  /** By somebody's hand; otherwise as `resolve`. The alert as it is then, undefined where there is none. */
  close(id: string, remark: Remark): Promise<Alert | undefined>
  get(id: string): Promise<Alert | undefined>
  /** What is not over first, the worst and of those the newest first; then what is over, the newest first. */
  page(page: AlertPage): Promise<readonly ListedAlert[]>
}

export interface AlertPage {
  readonly state?: AlertState | undefined
  readonly kind?: AlertKind | undefined
  readonly tenantId?: TenantId | undefined
  /** Only what this tenant may see of itself. */
  readonly seenBy?: TenantId | undefined
  /** The `cursor` of the last alert of the page before. */
  readonly after: string | undefined
  readonly limit: number
}

export interface ListedAlert extends Alert {
  readonly cursor: string
}

export const alertStorage = { tables: ['alerts'] } as const

/** Each attempt is lost to a change that landed. */
const ATTEMPTS_MAX = 20
/** Of one page, read at once. */
const READS_AT_ONCE = 16

/** An alert that others are to be told of, until they are. */
export interface UntoldAlert {
  readonly alert: Alert
  readonly event: AlertEvent
  readonly at: number
}

/** `onTold` is called behind each change of which others are to be told; whoever misses it finds the row later. */
export function createAlerts({
  rows,
  clock,
  onUntold = () => {},
}: {
  rows: PartitionTable<Columns>
  clock: Clock
  onUntold?: () => void
}): Alerts {
  /** The alert as it is then; undefined where there is none. */
  const change = async (id: string, edit: (known: Alert | undefined) => AlertStep | undefined) => {
    const key = alertKey(id)
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const row = await rows.get(alertRow(key))
      const known = row && fromJsonColumns<Alert>(row.columns)
      const step = edit(known)
      if (!step) return known
      const nowMs = clock.now()
      const result = await rows.change(changesOf({ key, known, step, etag: row?.etag, nowMs }))
      if (result.kind === 'lost-race') continue
      if (step.event) onUntold()
      return step.alert
    }
    throw new Error(`the alert ${id} lost every race to be written`)
  }

  return {
    raise: async (raise) => {
      await change(raise.id, (known) => raised(known, raise, clock.now()))
    },
    raiseOnce: async (raise) => {
      await change(raise.id, (known) => (known ? undefined : raised(undefined, raise, clock.now())))
    },
    mitigate: async (id, note) => {
      await change(id, (known) => mitigated(known, { by: PLATFORM, note }, clock.now()))
    },
    resolve: async (id, note) => {
      await change(id, (known) => resolved(known, { by: PLATFORM, note }, clock.now()))
    },
    acknowledge: (id, remark) => change(id, (known) => acknowledged(known, remark, clock.now())),
    close: (id, remark) => change(id, (known) => resolved(known, remark, clock.now())),
    get: async (id) => {
      const row = await rows.get(alertRow(alertKey(id)))
      return row && fromJsonColumns<Alert>(row.columns)
    },
    page: (asked) => readPage(rows, asked),
  }
}

interface Write {
  readonly key: string
  readonly known: Alert | undefined
  readonly step: AlertStep
  readonly etag: string | undefined
  readonly nowMs: number
}

/** The alert, its places and what is to be told of it, in one transaction (A2, A3). */
function changesOf({ key, known, step: { alert, event }, etag, nowMs }: Write): RowChange<Columns>[] {
  const columns = toJsonColumns(alert)
  const rowKey = alertRow(key)
  const before = known ? placesOf(known, key) : []
  const now = placesOf(alert, key)
  const isMoved = alert.state !== known?.state || alert.kind !== known.kind || alert.tenantId !== known.tenantId
  const stays = (place: string) => !isMoved && before.includes(place)
  const untold: UntoldAlert | undefined = event && { alert, event, at: nowMs }
  return [
    etag === undefined ? { kind: 'insert', rowKey, columns } : { kind: 'replace', rowKey, columns, etag },
    ...before.filter((place) => !now.includes(place)).map((place) => ({ kind: 'remove', rowKey: place }) as const),
    ...now
      .filter((place) => !stays(place))
      .map((place) => ({ kind: 'put', rowKey: place, columns: placeColumns(alert, key) }) as const),
    ...(untold
      ? [{ kind: 'put', rowKey: tellRow(nowMs, key, untold.event), columns: toJsonColumns(untold) } as const]
      : []),
  ]
}

async function readPage(
  rows: PartitionTable<Columns>,
  { state, kind, tenantId, seenBy, after, limit }: AlertPage,
): Promise<readonly ListedAlert[]> {
  const which = state === undefined ? 'all' : state === 'resolved' ? 'past' : 'live'
  const { from, to } = listBounds(seenBy, which)
  // A cursor of another list, or made up, is no way out of this one.
  const begin = after !== undefined && after >= from ? `${after} ` : from
  const found: { cursor: string; key: string }[] = []
  for await (const { rowKey, columns } of rows.range(begin, to)) {
    if (state !== undefined && columns['state'] !== state) continue
    if (kind !== undefined && columns['kind'] !== kind) continue
    if (tenantId !== undefined && columns['tenantId'] !== tenantId) continue
    const key = columns['key']
    assert(typeof key === 'string', 'a place names its alert')
    if (found.push({ cursor: rowKey, key }) >= limit) break
  }
  const listed: ListedAlert[] = []
  for (let start = 0; start < found.length; start += READS_AT_ONCE) {
    const some = found.slice(start, start + READS_AT_ONCE)
    const read = await Promise.all(some.map(({ key }) => rows.get(alertRow(key))))
    for (const [index, { cursor }] of some.entries()) {
      const row = read[index]
      if (row) listed.push({ ...fromJsonColumns<Alert>(row.columns), cursor })
    }
  }
  return listed
}
