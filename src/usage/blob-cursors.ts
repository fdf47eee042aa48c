import type { TenantId } from '../base/ids'
import { HOUR_MS, hourOfBlobId, type LogBlobId } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import { partitionTable } from '../storage/partition-table'
import { platformTable } from '../storage/platform-table'
import { putNewer } from './put-newer'
import { hourText } from './usage-rows'
import { cursorTable } from './usage-tables'

/** How far a blob has been rolled up: every row that depends on its first `position` bytes is written. */
export interface BlobCursor {
  readonly position: number
  /** The blob is sealed and `position` is its end: its rows are final. */
  readonly closed: boolean
}

/**
 * What the roll-up remembers between runs, all of which only ever goes forward. None of it is needed for the rows to be
 * right: a lost cursor costs reading a blob again.
 */
export interface BlobCursors {
  ofHour(hourStartMs: number): Promise<Map<LogBlobId, BlobCursor>>
  isClosed(blobId: LogBlobId): Promise<boolean>
  advance(blobId: LogBlobId, cursor: BlobCursor): Promise<void>
  /** The hour before which `what` is finished; undefined when it never ran. */
  finishedBefore(what: Finished): Promise<number | undefined>
  finish(what: Finished, hourStartMs: number): Promise<void>
  /** The tenants that have rows in an hour, for compaction; noted before the rows are written. */
  noteTenant(hourStartMs: number, tenantId: TenantId): Promise<void>
  tenantsOf(hourStartMs: number): AsyncIterable<TenantId>
  forgetTenant(hourStartMs: number, tenantId: TenantId): Promise<void>
}

export type Finished = 'rolled-up' | 'compacted'

export function createBlobCursors(storage: StorageAccount): BlobCursors {
  const table = storage.table(cursorTable)
  const cursorsOf = (hour: string) => partitionTable<{ position: number; closed: boolean }>(table, hour)
  const tenantsIn = (hourStartMs: number) => partitionTable<{}>(table, `tenants-${hourText(hourStartMs)}`)
  const marks = platformTable<{ hourStartMs: string }>(table)

  return {
    ofHour: async (hourStartMs) => {
      const cursors = new Map<LogBlobId, BlobCursor>()
      for await (const { rowKey, columns } of cursorsOf(hourText(hourStartMs)).range('', '~')) {
        cursors.set(rowKey as LogBlobId, { position: columns.position, closed: columns.closed })
      }
      return cursors
    },
    isClosed: async (blobId) => (await cursorsOf(hourOfBlobId(blobId)).get(blobId))?.columns.closed ?? false,
    advance: async (blobId, { position, closed }) => {
      const row = { rowKey: blobId, columns: { position, closed }, etag: undefined }
      await putNewer(cursorsOf(hourOfBlobId(blobId)), row, (existing) =>
        existing.closed ? true : existing.position > position || (existing.position === position && !closed),
      )
    },
    finishedBefore: async (what) => {
      const row = await marks.get(what)
      return row && Number(row.columns.hourStartMs)
    },
    finish: async (what, hourStartMs) => {
      // As text, since the SDK stores a number beyond 32 bits as a double.
      const row = { rowKey: what, columns: { hourStartMs: String(hourStartMs) }, etag: undefined }
      await putNewer(marks, row, (existing) => Number(existing.hourStartMs) >= hourStartMs)
    },
    noteTenant: (hourStartMs, tenantId) => tenantsIn(hourStartMs).put(tenantId, {}),
    tenantsOf: async function* (hourStartMs) {
      for await (const { rowKey } of tenantsIn(hourStartMs).range('', '~')) yield rowKey as TenantId
    },
    forgetTenant: (hourStartMs, tenantId) => tenantsIn(hourStartMs).remove(tenantId),
  }
}

export const hourStartOf = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS
