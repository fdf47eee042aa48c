import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Delivery, DeliveryId } from './delivery'
import type { OutboxRows } from './outbox'
import { deadRow, deliveryRow, dueRow } from './outbox-rows'

/** A delivery as it was read, by which a change of it is compared and swapped. */
export interface FoundDelivery {
  readonly owner: TenantScope
  readonly delivery: Delivery
  readonly etag: string
}

export async function findDelivery(
  { owned }: OutboxRows,
  owner: TenantScope,
  id: DeliveryId,
): Promise<FoundDelivery | undefined> {
  const row = await owned.get(owner, deliveryRow(id))
  return row && { owner, delivery: fromJsonColumns<Delivery>(row.columns), etag: row.etag }
}

/** What is to be done about it is written first, and what was to be done is removed last (O1). Undefined where somebody was faster. */
export async function changeDelivery(
  { owned, index }: OutboxRows,
  { owner, delivery: before, etag }: FoundDelivery,
  after: Delivery,
): Promise<FoundDelivery | undefined> {
  const due = ({ dueAt, id }: Delivery) => dueRow(dueAt, owner.tenantId, deliveryRow(id))
  if (isOpen(after)) await index.put(due(after), {})
  if (after.state.kind === 'dead') await index.put(deadRow(after.state.at, owner.tenantId, after.id), {})
  const written = await owned.replace(owner, deliveryRow(after.id), toJsonColumns(after), etag)
  // The rows that were put lead to nothing then, and are dropped when somebody comes by.
  if (written.kind === 'lost-race') return undefined
  if (isOpen(before) && !(isOpen(after) && due(after) === due(before))) await index.remove(due(before))
  if (before.state.kind === 'dead') await index.remove(deadRow(before.state.at, owner.tenantId, before.id))
  return { owner, delivery: after, etag: written.etag }
}

export const isOpen = ({ state }: Delivery) => state.kind === 'waiting' || state.kind === 'sending'
