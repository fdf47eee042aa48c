import type { ContainerClient } from '@azure/storage-blob'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import { HOUR_MS, type LogBlobId } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import { hourStartOf, type BlobCursor, type BlobCursors } from './blob-cursors'
import { inParallel } from './in-parallel'
import { putNewer } from './put-newer'
import { readLog } from './read-log'
import { BlobRollUp, type UsageRow } from './roll-up'
import { isAsNewAs, MINUTE_MS, minuteColumns, minuteRowKey, type UsageColumns } from './usage-rows'
import { usageTable } from './usage-tables'

export interface LogBlob {
  readonly name: string
  readonly blobId: LogBlobId
  readonly hourStartMs: number
  readonly bytes: number
  /** Nobody can append to it any more. */
  readonly sealed: boolean
}

export interface BlobRollUps {
  /**
   * Brings the blob's rows up to its length and then its cursor. Rows first: dying in between costs doing it again.
   * Not twice at once for one blob within a process; several processes may, since no row and no cursor ever goes back.
   */
  catchUp(blob: LogBlob, cursor: BlobCursor | undefined): Promise<void>
}

/** Blobs of which the calls are kept in memory between runs, about 8 MB for a full one; others are read from the start again. */
const LIVE_BLOBS_MAX = 16
const ROWS_WRITTEN_AT_ONCE_MAX = 16
/** Tenant-hours known to be noted; a note that is repeated costs a write and changes nothing. */
const NOTED_MAX = 50_000

/** A blob as far as this process has read it. */
interface LiveBlob {
  readonly rollUp: BlobRollUp
  /** Read up to here. */
  position: number
  /** Rows that depend on no more than this are written. */
  writtenTo: number
  /** Of the rows that this process has written. */
  readonly etags: Map<string, string>
}

export function createBlobRollUps(deps: {
  storage: StorageAccount
  container: ContainerClient
  cursors: BlobCursors
  log: Log
}): BlobRollUps {
  const { storage, container, cursors, log } = deps
  const rows = tenantTable<UsageColumns>(storage.table(usageTable))
  const live = new Map<string, LiveBlob>()
  const noted = new Set<string>()

  function liveBlob({ name, blobId }: LogBlob, cursor: BlobCursor | undefined): LiveBlob {
    const known = live.get(name)
    live.delete(name)
    const blob = known ?? {
      rollUp: new BlobRollUp(blobId),
      position: 0,
      writtenTo: cursor?.position ?? 0,
      etags: new Map<string, string>(),
    }
    live.set(name, blob)
    for (const oldest of live.keys()) if (live.size > LIVE_BLOBS_MAX) live.delete(oldest)
    return blob
  }

  async function read(blob: LogBlob, into: LiveBlob) {
    const piece = { name: blob.name, from: into.position, to: blob.bytes }
    const onDamaged = (position: number) => log.error('a damaged line in the usage log', { blob: blob.name, position })
    for await (const lines of readLog(container, piece, onDamaged)) {
      for (const { line, position } of lines) {
        into.rollUp.add(line, position)
        into.position = position
      }
    }
  }

  async function write(row: UsageRow, etags: Map<string, string>) {
    await noteTenant(row)
    const partition = rows.partition(TenantScope.ofPlatform(row.tenantId))
    const rowKey = minuteRowKey(row)
    const etagKey = `${row.tenantId} ${rowKey}`
    const wanted = { rowKey, columns: minuteColumns(row), etag: etags.get(etagKey) }
    etags.set(etagKey, await putNewer(partition, wanted, (existing) => isAsNewAs(existing, row)))
  }

  /** Before the row: an hour whose tenant is noted for nothing is harmless, one that is forgotten is never compacted. */
  async function noteTenant({ tenantId, minute }: { tenantId: TenantId; minute: number }) {
    const hourStartMs = hourStartOf(minute * MINUTE_MS)
    const note = `${hourStartMs / HOUR_MS} ${tenantId}`
    if (noted.has(note)) return
    await cursors.noteTenant(hourStartMs, tenantId)
    if (noted.size >= NOTED_MAX) noted.clear()
    noted.add(note)
  }

  async function end({ name, blobId, bytes, sealed }: LogBlob) {
    await cursors.advance(blobId, { position: bytes, closed: sealed })
    live.delete(name)
  }

  return {
    catchUp: async (blob, cursor) => {
      // Another process has written the rows; all that is new is that the blob has ended.
      if (cursor?.position === blob.bytes) return end(blob)
      const reached = liveBlob(blob, cursor)
      if (blob.bytes > reached.position) await read(blob, reached)
      const changed = reached.rollUp.rowsBeyond(reached.writtenTo)
      await inParallel(changed, ROWS_WRITTEN_AT_ONCE_MAX, (row) => write(row, reached.etags))
      reached.writtenTo = Math.max(reached.writtenTo, reached.position)
      // What is left of a sealed blob after its last whole line is torn for ever.
      if (blob.sealed) await end(blob)
      else await cursors.advance(blob.blobId, { position: reached.position, closed: false })
    },
  }
}
