import { paired } from '../moving/copy-place'
import type { Columns, PartitionTable, Row } from '../storage/partition-table'
import { ABOVE_EVERY_ROW_KEY } from '../storage/place-contents'
import type { TenantBlobs } from '../storage/tenant-blobs'
import { blobNameOf, digestOf, markColumns, readMarks, withMarks, withoutMarks } from './replica-row'

/** Rows of one partition, and the blobs that they name, where rows name blobs. */
export interface RowStore {
  readonly rows: Pick<PartitionTable<Columns>, 'get' | 'insert' | 'replace' | 'remove' | 'range'>
  readonly blobs?: TenantBlobs | undefined
}

export interface ReplicateBounds {
  /** Where the part before ended: the first row that is looked at. */
  readonly from: string
  readonly isWanted: (rowKey: string) => boolean
  /** Asked before each change; throws where this replica is no longer wanted. */
  readonly mayChange: () => Promise<void>
  readonly nowMs: number
  /** How long what the source has no more stays. */
  readonly goneKeptMs: number
  readonly looksMax: number
  readonly changesMax: number
}

export interface Replicated {
  /** Where to go on; undefined at the end. */
  readonly next: string | undefined
  readonly copied: number
  /** Found gone from the source for the first time. */
  readonly gone: number
  readonly removed: number
  /** Rows that the replica has of what was looked at. */
  readonly kept: number
}

/**
 * Makes the replica of the rows what the source is, as bytes: whatever is sealed stays so. Only tags are listed; a row is read where
 * its tag is another one than when it was copied. A row that another one at work has changed meanwhile is left to it, or to the
 * next pass. What the source has no more is marked and goes later: a loss there must not be the loss of both.
 */
export async function replicateRows(from: RowStore, to: RowStore, bounds: ReplicateBounds): Promise<Replicated> {
  const counts = { copied: 0, gone: 0, removed: 0, kept: 0 }
  const changes = () => counts.copied + counts.gone + counts.removed
  const wanted = wantedOf(from.rows.range(bounds.from, ABOVE_EVERY_ROW_KEY, []), bounds.isWanted, bounds.looksMax)
  const known = to.rows.range(bounds.from, ABOVE_EVERY_ROW_KEY, [...markColumns, 'blob'])
  for await (const { key, one, other } of paired<Row<Columns>>(wanted, known, ({ rowKey }) => rowKey)) {
    if ((one && 'isBound' in one) || changes() >= bounds.changesMax) return { ...counts, next: key }
    const marks = other && readMarks(other.columns)
    if (one && marks?.sourceTag === one.etag && marks.goneAtMs === undefined) counts.kept++
    else if (one) {
      await bounds.mayChange()
      if (await copyRow(from, to, { rowKey: key, known: other })) counts.copied++
      counts.kept++
    } else if (other && marks) {
      await bounds.mayChange()
      const done = await leaveRow(to, other, { goneAtMs: marks.goneAtMs, bounds })
      counts[done]++
    }
  }
  return { ...counts, next: undefined }
}

/** Those that are wanted, and, where more were looked at than may be, one that says where to go on. */
async function* wantedOf(
  rows: AsyncIterable<Row<Columns>>,
  isWanted: ReplicateBounds['isWanted'],
  looksMax: number,
): AsyncGenerator<Row<Columns> & { readonly isBound?: true }> {
  let looks = 0
  for await (const row of rows) {
    if (++looks > looksMax) {
      yield { ...row, isBound: true }
      return
    }
    if (isWanted(row.rowKey)) yield row
  }
}

/** False where it is gone from the source by now, or others are at it. */
async function copyRow(
  from: RowStore,
  to: RowStore,
  { rowKey, known }: { rowKey: string; known: Row<Columns> | undefined },
): Promise<boolean> {
  const source = await from.rows.get(rowKey)
  if (!source) return false
  const { columns, etag: sourceTag } = source
  const blobName = blobNameOf(rowKey, columns)
  const blob = blobName === undefined ? undefined : await from.blobs?.get(blobName)
  // Replaced since its row was read: the next pass finds the new row.
  if (blobName !== undefined && !blob) return false
  // Before its row, as everywhere: a row names no blob that is not there.
  if (blobName !== undefined && blob) await to.blobs?.put(blobName, blob)
  const digest = digestOf(columns, blob)
  const marked = withMarks(columns, { sourceTag, digest })
  const result = await (known ? to.rows.replace(rowKey, marked, known.etag) : to.rows.insert(rowKey, marked))
  if (result.kind === 'lost-race') return false
  await verify(to, rowKey, digest)
  if (blobName !== undefined || known?.columns['blob'] !== undefined) await removeBlobs(to, rowKey, blobName)
  return true
}

/** What is there now is what was read; what is not goes, so that the next pass copies it anew. */
async function verify(store: RowStore, rowKey: string, digest: string): Promise<void> {
  const found = await readRow(store, rowKey)
  const isOurs = found !== undefined && readMarks(found.marked).digest === digest
  if (!isOurs || found.digest === digest) return
  await store.rows.remove(rowKey)
  throw new Error(`the replica of "${rowKey}" is not what was written`)
}

/** With the digest of what is really there. */
export async function readRow(
  { rows, blobs }: RowStore,
  rowKey: string,
): Promise<{ marked: Columns; columns: Columns; blob: Uint8Array | undefined; digest: string } | undefined> {
  const row = await rows.get(rowKey)
  if (!row) return undefined
  const columns = withoutMarks(row.columns)
  const blobName = blobNameOf(rowKey, columns)
  const blob = blobName === undefined ? undefined : await blobs?.get(blobName)
  return { marked: row.columns, columns, blob, digest: digestOf(columns, blob) }
}

/** Marked when it is first missed, and removed once that is long enough ago. */
async function leaveRow(
  to: RowStore,
  known: Row<Columns>,
  { goneAtMs, bounds }: { goneAtMs: number | undefined; bounds: Pick<ReplicateBounds, 'nowMs' | 'goneKeptMs'> },
): Promise<'gone' | 'removed' | 'kept'> {
  const { rowKey, etag } = known
  if (goneAtMs !== undefined && bounds.nowMs - goneAtMs < bounds.goneKeptMs) return 'kept'
  if (goneAtMs !== undefined || bounds.goneKeptMs === 0) {
    await to.rows.remove(rowKey, etag)
    await removeBlobs(to, rowKey, undefined)
    return 'removed'
  }
  const row = await to.rows.get(rowKey)
  if (row) await to.rows.replace(rowKey, markedGone(row.columns, bounds.nowMs), row.etag)
  return 'gone'
}

function markedGone(columns: Columns, goneAtMs: number): Columns {
  const { sourceTag, digest } = readMarks(columns)
  return withMarks(withoutMarks(columns), { sourceTag, digest, goneAtMs })
}

/** Of a row, all but the one that it names: also what a copy that broke off has left. */
async function removeBlobs({ blobs }: RowStore, rowKey: string, kept: string | undefined): Promise<void> {
  if (!blobs) return
  for await (const { name } of blobs.list(`${rowKey}/`)) if (name !== kept) await blobs.remove(name)
}
