import { fromJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { Alert } from './alert'
import { alertRow, pastBefore, placesOf } from './alert-rows'

/** How many alerts were resolved before a time and are forgotten, or, `dry`, would be. */
export type RemoveOldAlerts = (asked: {
  /** Unix milliseconds. */
  readonly resolvedBeforeMs: number
  readonly countMax: number
  readonly dry: boolean
  readonly isOver: () => boolean
}) => Promise<number>

/**
 * Forgets an alert with its places in one transaction (A2). One that is raised again at this moment stays: it has left the place by
 * which it was found, and the transaction removes only what is there. Raised after that it is a new alert, in its first episode.
 */
export function createRemoveOldAlerts(rows: PartitionTable<Columns>): RemoveOldAlerts {
  return async ({ resolvedBeforeMs, countMax, dry, isOver }) => {
    const { from, to } = pastBefore(resolvedBeforeMs)
    let count = 0
    for await (const { rowKey: place, columns } of rows.range(from, to)) {
      if (count >= countMax || isOver()) break
      if (dry || (await removeOne(rows, String(columns['key']), place))) count++
    }
    return count
  }
}

async function removeOne(rows: PartitionTable<Columns>, key: string, place: string): Promise<boolean> {
  const row = await rows.get(alertRow(key))
  const places = row ? placesOf(fromJsonColumns<Alert>(row.columns), key) : []
  // Somebody was faster: its place is not this one any more.
  if (!places.includes(place)) return false
  const result = await rows.change([alertRow(key), ...places].map((rowKey) => ({ kind: 'remove', rowKey })))
  return result.kind === 'written'
}
