import type { TenantId } from '../base/ids'
import { fromJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable, RowChange } from '../storage/partition-table'
import type { Alert } from './alert'
import { alertRow, listBounds, placesOf } from './alert-rows'

/** Removes what a tenant that goes was shown. What operators alone saw of it stays theirs; how many there were. */
export async function removeTenantAlerts(rows: PartitionTable<Columns>, tenantId: TenantId): Promise<number> {
  const { from, to } = listBounds(tenantId, 'all')
  let removed = 0
  for await (const { columns } of rows.range(from, to)) {
    const key = String(columns['key'])
    const row = await rows.get(alertRow(key))
    if (!row) continue
    const gone = [alertRow(key), ...placesOf(fromJsonColumns<Alert>(row.columns), key)]
    const changes = gone.map((rowKey): RowChange<Columns> => ({ kind: 'remove', rowKey }))
    // Whoever changes it meanwhile keeps it; the removal is repeated until nothing is left.
    if ((await rows.change(changes)).kind === 'written') removed += 1
  }
  return removed
}
