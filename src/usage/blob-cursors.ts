import type { TenantId } from '../base/ids'
import { HOUR_MS, hourOfBlobId, type LogBlobId } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import { changesMax, partitionTable, type PartitionTable } from '../storage/partition-table'
import { platformTable } from '../storage/platform-table'
import type { PeriodKind } from './report-period'
import { putNewer } from './put-newer'
import { dueDays, dueKey, tenantNotes } from './tenant-notes'
import { dayText, hourText, startOfDayText } from './usage-rows'
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
  /** Of the hour's blobs, none of which is there any more. */
  forgetHour(hourStartMs: number): Promise<void>
  /** The hour before which `what` is finished; undefined when it never ran. */
  finishedBefore(what: Finished): Promise<number | undefined>
  finish(what: Finished, hourStartMs: number): Promise<void>
  /** Tenants that are about to have rows in an hour, its day and its month; noted before the rows are written. */
  noteTenants(width: keyof typeof tenantNotes, ms: number, tenantIds: readonly TenantId[]): Promise<void>
  /** For compaction. */
  tenantsOf(hourStartMs: number): AsyncIterable<TenantId>
  forgetTenant(hourStartMs: number, tenantId: TenantId): Promise<void>
  /** The rows of the tenants' day are to be made, or to be made anew. */
  noteDueDays(ms: number, tenantIds: readonly TenantId[]): Promise<void>
  /** Of days that begin before this, the earliest first. */
  dueDays(beforeMs: number): AsyncIterable<DueDay>
  /** Unless it was noted again since it was read. */
  forgetDueDay(due: DueDay): Promise<void>
}

export interface DueDay {
  readonly dayStartMs: number
  readonly tenantId: TenantId
  readonly etag: string
}

export type Finished =
  'rolled-up' | 'compacted' | 'notes-forgotten' | 'archived' | 'deleted' | `${PeriodKind}-reports-${'first' | 'final'}`

export function createBlobCursors(storage: StorageAccount): BlobCursors {
  const table = storage.table(cursorTable)
  const cursorsOf = (hour: string) => partitionTable<{ position: number; closed: boolean }>(table, hour)
  const notedIn = (partition: string) => partitionTable<{}>(table, partition)
  const tenantsIn = (hourStartMs: number) => notedIn(tenantNotes.hour(hourStartMs))
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
    forgetHour: async (hourStartMs) => {
      await cursorsOf(hourText(hourStartMs)).removeAll()
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
    noteTenants: (width, ms, tenantIds) => putNotes(notedIn(tenantNotes[width](ms)), tenantIds),
    tenantsOf: async function* (hourStartMs) {
      for await (const { rowKey } of tenantsIn(hourStartMs).range('', '~')) yield rowKey as TenantId
    },
    forgetTenant: (hourStartMs, tenantId) => tenantsIn(hourStartMs).remove(tenantId),
    noteDueDays: (ms, tenantIds) =>
      putNotes(
        notedIn(dueDays),
        tenantIds.map((tenantId) => dueKey(ms, tenantId)),
      ),
    dueDays: async function* (beforeMs) {
      for await (const { rowKey, etag } of notedIn(dueDays).range('', dayText(beforeMs))) {
        const [day = '', ...id] = rowKey.split('_')
        yield { dayStartMs: startOfDayText(day), tenantId: id.join('_') as TenantId, etag }
      }
    },
    forgetDueDay: ({ dayStartMs, tenantId, etag }) => notedIn(dueDays).remove(dueKey(dayStartMs, tenantId), etag),
  }
}

/** A hundred in a request: there is one a tenant. Each key once. */
async function putNotes(partition: PartitionTable<{}>, keys: readonly string[]): Promise<void> {
  const notes = keys.map((rowKey) => ({ kind: 'put', rowKey, columns: {} }) as const)
  for (let at = 0; at < notes.length; at += changesMax) await partition.change(notes.slice(at, at + changesMax))
}

export const hourStartOf = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS
