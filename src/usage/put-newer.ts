import { Problem, ProblemError } from '../base/problem'
import type { Columns, PartitionTable } from '../storage/partition-table'

/** Each lost race means that someone else went forward, and few write the same row. */
const RACES_MAX = 10

/**
 * Writes the row unless what is there supersedes it, so that a row never goes back, whoever writes it and however late.
 * Gives the row's tag; a caller that passes it next time saves a read. Without a tag the row is taken to be new.
 * Throws `storage_unavailable` after RACES_MAX lost races.
 */
export async function putNewer<C extends Columns>(
  partition: PartitionTable<C>,
  row: { rowKey: string; columns: C; etag: string | undefined },
  isSupersededBy: (existing: C) => boolean,
): Promise<string> {
  let { etag } = row
  for (let race = 0; race < RACES_MAX; race++) {
    const { rowKey, columns } = row
    const result =
      etag === undefined ? await partition.insert(rowKey, columns) : await partition.replace(rowKey, columns, etag)
    if (result.kind === 'written') return result.etag
    const existing = await partition.get(rowKey)
    if (existing && isSupersededBy(existing.columns)) return existing.etag
    etag = existing?.etag
  }
  throw new ProblemError(
    new Problem('storage_unavailable', 'Usage could not be rolled up. Try again.', {
      internal: `row ${row.rowKey} was changed ${RACES_MAX} times by others`,
    }),
  )
}
