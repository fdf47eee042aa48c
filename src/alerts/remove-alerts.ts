import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { fromJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable, RowChange } from '../storage/partition-table'
import type { Alert } from './alert'
import { alertRow, listBounds, pastBefore, placesOf } from './alert-rows'

type Rows = PartitionTable<Columns>

/** What is over stays so long: as long as anybody asks what happened last year. */
export const PAST_KEPT_MS = 400 * 86_400_000

/** Removes what has been over for long; how many there were. Twice at once, each goes once. */
export async function removeOldAlerts({ rows, clock }: { rows: Rows; clock: Clock }): Promise<number> {
  const { from, to } = pastBefore(clock.now() - PAST_KEPT_MS)
  return removeListed(rows, { from, to }, ({ state }) => state === 'resolved')
}

/** Removes what a tenant that goes was shown. What only operators saw of it stays theirs; how many there were. */
export const removeAlertsOf = (rows: Rows, tenantId: TenantId): Promise<number> =>
  removeListed(rows, listBounds(tenantId, 'all'), () => true)

async function removeListed(
  rows: Rows,
  { from, to }: { from: string; to: string },
  isMeant: (alert: Alert) => boolean,
): Promise<number> {
  let removed = 0
  for await (const { columns } of rows.range(from, to)) {
    const key = String(columns['key'])
    const row = await rows.get(alertRow(key))
    const alert = row && fromJsonColumns<Alert>(row.columns)
    if (!alert || !isMeant(alert)) continue
    const gone = [alertRow(key), ...placesOf(alert, key)]
    const changes = gone.map((rowKey): RowChange<Columns> => ({ kind: 'remove', rowKey }))
    // Whoever changes it meanwhile keeps it; the next round looks again.
    if ((await rows.change(changes)).kind === 'written') removed += 1
  }
  return removed
}
