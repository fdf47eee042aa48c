import { fromJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { Delivery, DeliveryId } from './delivery'
import { isOpen } from './delivery-rows'
import type { KeptNotice, OutboxRows } from './outbox'
import { deadRow, DELIVERY, deliveryRow, dueRow, NOTICE } from './outbox-rows'

/** Removes a notice whose time has come, with its deliveries; false where it is not there, or not at that time. */
export async function forgetNotice(
  rows: OutboxRows,
  { owner, what, timeMs }: { owner: TenantScope; what: string; timeMs: number },
): Promise<boolean> {
  const row = await rows.owned.get(owner, what)
  const kept = row && fromJsonColumns<KeptNotice>(row.columns)
  if (kept?.forgetAt !== timeMs) return false
  for (const id of kept.deliveries) await forgetDelivery(rows, owner, id)
  await rows.owned.remove(owner, what)
  await rows.index.remove(dueRow(timeMs, owner.tenantId, what))
  return true
}

async function forgetDelivery({ owned, index }: OutboxRows, owner: TenantScope, id: DeliveryId): Promise<void> {
  const row = await owned.get(owner, deliveryRow(id))
  if (!row) return
  await removeIndex(index, owner, fromJsonColumns<Delivery>(row.columns))
  await owned.remove(owner, deliveryRow(id))
}

async function removeIndex(
  index: PartitionTable<Columns>,
  { tenantId }: TenantScope,
  delivery: Delivery,
): Promise<void> {
  const { id, state, dueAt } = delivery
  if (isOpen(delivery)) await index.remove(dueRow(dueAt, tenantId, deliveryRow(id)))
  if (state.kind === 'dead') await index.remove(deadRow(state.at, tenantId, id))
}

/** Everything of a tenant that goes: its notices and messages, and what leads to them. Subscriptions go with its sealed records. */
export async function removeOutboxOf({ owned, index }: OutboxRows, owner: TenantScope): Promise<void> {
  for await (const { rowKey, columns } of owned.range(owner, '', '~')) {
    if (rowKey.startsWith(NOTICE)) {
      const { forgetAt } = fromJsonColumns<KeptNotice>(columns)
      await index.remove(dueRow(forgetAt, owner.tenantId, rowKey))
    } else if (rowKey.startsWith(DELIVERY)) await removeIndex(index, owner, fromJsonColumns<Delivery>(columns))
    await owned.remove(owner, rowKey)
  }
}
