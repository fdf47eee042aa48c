import { paired } from '../moving/copy-place'
import type { Columns, PartitionTable, Row } from '../storage/partition-table'
import { ABOVE_EVERY_ROW_KEY } from '../storage/place-contents'
import type { TenantBlobs } from '../storage/tenant-blobs'
import { blobNameOf, markColumns, readMarks } from './replica-row'
import { readRow, type RowStore } from './replicate-rows'

/** Where rows are missing: only what is not there is written. */
export interface RestoreTarget {
  readonly rows: Pick<PartitionTable<Columns>, 'get' | 'insert' | 'range'>
  readonly blobs?: Pick<TenantBlobs, 'put' | 'remove'> | undefined
}

export interface RestoreBounds {
  /**
   * Unix milliseconds: rows that were missed before were deleted, and stay so; undefined brings back everything that the replica still
   * has.
   */
  readonly lostSinceMs: number | undefined
  /** Brought back in one go. */
  readonly rowsMax: number
}

export interface Restored {
  /** False where there is more than `rowsMax`: what is there by then is passed over the next time. */
  readonly isDone: boolean
  readonly restored: number
  /** There already, as they are or newer. */
  readonly present: number
  /** Deleted before the loss. */
  readonly deleted: number
  /** Not what was copied: nothing of them is brought back. */
  readonly damaged: readonly string[]
}

/** Brings rows back with the blobs that they name, as the bytes that they are, where the target has none of their key. */
export async function restoreRows(
  replica: RowStore,
  target: RestoreTarget,
  { lostSinceMs, rowsMax }: RestoreBounds,
): Promise<Restored> {
  const counts = { restored: 0, present: 0, deleted: 0 }
  const damaged: string[] = []
  const kept = replica.rows.range('', ABOVE_EVERY_ROW_KEY, markColumns)
  const there = target.rows.range('', ABOVE_EVERY_ROW_KEY, [])
  for await (const { key, one, other } of paired<Row<Columns>>(kept, there, ({ rowKey }) => rowKey)) {
    if (!one) continue
    const { goneAtMs } = readMarks(one.columns)
    if (other) counts.present++
    else if (goneAtMs !== undefined && lostSinceMs !== undefined && goneAtMs < lostSinceMs) counts.deleted++
    else {
      if (counts.restored >= rowsMax) return { ...counts, damaged, isDone: false }
      const result = await restoreRow(replica, target, key)
      if (result === 'damaged') damaged.push(key)
      else counts[result]++
    }
  }
  return { ...counts, damaged, isDone: true }
}

async function restoreRow(
  replica: RowStore,
  target: RestoreTarget,
  rowKey: string,
): Promise<'restored' | 'present' | 'damaged'> {
  const found = await readRow(replica, rowKey)
  // Removed from the replica meanwhile: its time was over.
  if (!found) return 'present'
  if (found.digest !== readMarks(found.marked).digest) return 'damaged'
  const blobName = blobNameOf(rowKey, found.columns)
  if (blobName !== undefined && found.blob) await target.blobs?.put(blobName, found.blob)
  const result = await target.rows.insert(rowKey, found.columns)
  if (result.kind === 'written') return 'restored'
  // Somebody has written it meanwhile: that is newer, whatever it is.
  const there = await target.rows.get(rowKey)
  if (blobName !== undefined && there && blobNameOf(rowKey, there.columns) !== blobName)
    await target.blobs?.remove(blobName)
  return 'present'
}
