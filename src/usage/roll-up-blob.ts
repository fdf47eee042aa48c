import type { ContainerClient } from '@azure/storage-blob'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import type { LogBlobId } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import type { BlobCursor, BlobCursors } from './blob-cursors'
import { createDayRows, dayStartOf } from './day-rows'
import type { RecentUsage } from './recent-usage'
import { inParallel } from '../base/in-parallel'
import { putRows } from './put-rows'
import { readLog } from './read-log'
import { BlobRollUp, type ChangedUsage } from './roll-up'
import { RollUpTables } from './roll-up-tables'
import type { UsageColumns } from './usage-columns'
import { tenantNotes } from './tenant-notes'
import { MINUTE_MS, minuteRow, type MinuteRow } from './usage-rows'
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

/** Blobs of which the calls are kept in memory between runs, some 10 MB for a full one; others are read from the start again. */
const LIVE_BLOBS_MAX = 16
/** Calls read their tenants' rows from the same storage: with sixteen at once their p99 rose by a quarter while a minute was rolled up. */
const TENANTS_WRITTEN_AT_ONCE_MAX = 4
/** As many as blobs are rolled up at one time: each takes the tables of one before it. */
const SPARE_TABLES_MAX = 2
/** Tenant-hours known to be noted; a note that is repeated costs a write and changes nothing. */
const NOTED_MAX = 50_000

/** A blob as far as this process has read it. */
interface LiveBlob {
  readonly tables: RollUpTables
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
  recent: Pick<RecentUsage, 'noter'>
  clock: Clock
  log: Log
}): BlobRollUps {
  const { storage, container, cursors, recent, clock, log } = deps
  const days = createDayRows({ storage, clock })
  const rows = tenantTable<UsageColumns>(storage.table(usageTable))
  const live = new Map<string, LiveBlob>()
  const spare: RollUpTables[] = []
  const noted = new Set<string>()

  function liveBlob({ name, blobId }: LogBlob, cursor: BlobCursor | undefined): LiveBlob {
    const known = live.get(name)
    live.delete(name)
    const blob = known ?? newBlob(blobId, cursor)
    live.set(name, blob)
    for (const oldest of live.keys()) if (live.size > LIVE_BLOBS_MAX) letGo(oldest)
    return blob
  }

  function newBlob(blobId: LogBlobId, cursor: BlobCursor | undefined): LiveBlob {
    const tables = spare.pop() ?? new RollUpTables()
    const rollUp = new BlobRollUp(blobId, tables)
    return { tables, rollUp, position: 0, writtenTo: cursor?.position ?? 0, etags: new Map() }
  }

  function letGo(name: string) {
    const blob = live.get(name)
    live.delete(name)
    if (!blob || spare.length === SPARE_TABLES_MAX) return
    blob.tables.clear()
    spare.push(blob.tables)
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

  /** Rows of one tenant. */
  async function write(changed: readonly MinuteRow[], etags: Map<string, string>) {
    const [first] = changed
    if (!first) return
    const { tenantId } = first
    const scope = TenantScope.ofPlatform(tenantId)
    await putRows(rows.partition(scope), changed, etags)
    for (const dayStartMs of new Set(changed.map(({ minute }) => dayStartOf(minute * MINUTE_MS)))) {
      if (await days.invalidate(scope, dayStartMs)) await cursors.noteDueDays(dayStartMs, [tenantId])
    }
  }

  /** Before the rows: a tenant that is noted for nothing is harmless, one that is not is never compacted, billed or watched. */
  async function noteTenants(changed: readonly ChangedUsage[]) {
    await noteOnce(changed, tenantNotes.hour, (ms, tenantIds) => cursors.noteTenants('hour', ms, tenantIds))
    await noteOnce(changed, tenantNotes.day, async (ms, tenantIds) => {
      await cursors.noteTenants('month', ms, tenantIds)
      await cursors.noteTenants('day', ms, tenantIds)
      await cursors.noteDueDays(ms, tenantIds)
    })
  }

  /** Together for each hour or day, named by `nameOf`, those that were not noted for it. */
  async function noteOnce(
    changed: readonly ChangedUsage[],
    nameOf: (ms: number) => string,
    write: (ms: number, tenantIds: readonly TenantId[]) => Promise<void>,
  ) {
    const spans = new Map<string, { ms: number; tenantIds: Set<TenantId> }>()
    for (const { tenantId, minutes } of changed) {
      for (const ms of minutes.map((minute) => minute * MINUTE_MS)) {
        const name = nameOf(ms)
        if (noted.has(`${name} ${tenantId}`)) continue
        const span = spans.get(name) ?? { ms, tenantIds: new Set() }
        spans.set(name, span)
        span.tenantIds.add(tenantId)
      }
    }
    for (const [name, { ms, tenantIds }] of spans) {
      await write(ms, [...tenantIds])
      if (noted.size >= NOTED_MAX) noted.clear()
      for (const tenantId of tenantIds) noted.add(`${name} ${tenantId}`)
    }
  }

  async function end({ name, blobId, bytes, sealed }: LogBlob) {
    await cursors.advance(blobId, { position: bytes, closed: sealed })
    letGo(name)
  }

  return {
    catchUp: async (blob, cursor) => {
      // Another process has written the rows; all that is new is that the blob has ended.
      if (cursor?.position === blob.bytes) return end(blob)
      const reached = liveBlob(blob, cursor)
      if (blob.bytes > reached.position) await read(blob, reached)
      const changed = reached.rollUp.tenantsBeyond(reached.writtenTo)
      await noteTenants(changed)
      const noter = recent.noter(blob.blobId)
      await inParallel(changed, TENANTS_WRITTEN_AT_ONCE_MAX, async (tenant) => {
        const rows = tenant.rows()
        await write(rows.map(minuteRow), reached.etags)
        await noter.add(rows)
      })
      await noter.end()
      reached.writtenTo = Math.max(reached.writtenTo, reached.position)
      // What is left of a sealed blob after its last whole line is torn for ever.
      if (blob.sealed) await end(blob)
      else await cursors.advance(blob.blobId, { position: reached.position, closed: false })
    },
  }
}
