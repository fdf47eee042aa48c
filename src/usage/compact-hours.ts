import { Problem, ProblemError } from '../base/problem'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import { HOUR_MS, type LogBlobId } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import type { PartitionTable } from '../storage/partition-table'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import { hourStartOf, type BlobCursors } from './blob-cursors'
import { mergeGroups } from './merge-groups'
import { hourColumns, hourRowKey, hourText, readStored, type StoredUsage, type UsageColumns } from './usage-rows'
import { usageTable } from './usage-tables'

/** Minutes are kept this long after their hour; queries that reach further back are by whole hours. */
export const MINUTES_KEPT_MS = 72 * HOUR_MS
/** In one run; the next goes on. */
const HOURS_PER_RUN_MAX = 48
/** Where the first run of an installation begins: no call counts in an hour longer before its blob's than this. */
const FIRST_HOURS_BACK = 48
const RACES_MAX = 10

interface Deps {
  readonly storage: StorageAccount
  readonly clock: Clock
  readonly cursors: BlobCursors
  readonly log: Log
}

/**
 * Takes the minute rows of closed blobs together into one row per tenant and hour. Rows of blobs that are not closed stay
 * and count beside the hour's; Q1 and Q2 of usage-rows.ts say why no moment and no crash shows a call twice or not at all.
 */
export async function compactHours(deps: Deps): Promise<void> {
  const { storage, clock, cursors } = deps
  const rows = tenantTable<UsageColumns>(storage.table(usageTable))
  const rolledUp = await cursors.finishedBefore('rolled-up')
  if (rolledUp === undefined) return
  const endMs = Math.min(hourStartOf(clock.now() - MINUTES_KEPT_MS), rolledUp)
  let hourStartMs = (await cursors.finishedBefore('compacted')) ?? (await firstHour(cursors, rolledUp))
  for (let hours = 0; hourStartMs < endMs && hours < HOURS_PER_RUN_MAX; hours++, hourStartMs += HOUR_MS) {
    const closed = closedBlobs(cursors)
    for await (const tenantId of cursors.tenantsOf(hourStartMs)) {
      await compactHour(deps, rows.partition(TenantScope.ofPlatform(tenantId)), { tenantId, hourStartMs, closed })
    }
    await cursors.finish('compacted', hourStartMs + HOUR_MS)
  }
}

/** Kept from the first run on, so that hours which are too young then are not passed over later. */
async function firstHour(cursors: BlobCursors, rolledUpMs: number): Promise<number> {
  const hourStartMs = rolledUpMs - FIRST_HOURS_BACK * HOUR_MS
  await cursors.finish('compacted', hourStartMs)
  return hourStartMs
}

async function compactHour(
  { cursors, log }: Deps,
  partition: PartitionTable<UsageColumns>,
  { tenantId, hourStartMs, closed }: { tenantId: TenantId; hourStartMs: number; closed: ClosedBlobs },
): Promise<void> {
  for (let race = 0; race < RACES_MAX; race++) {
    const { minutes, hour } = await readHour(partition, hourStartMs)
    const taken = new Set(hour?.usage.blobIds)
    const ripe = await closed(minutes.map(({ usage }) => usage.blobId))
    const joining = minutes.filter(({ usage }) => ripe.has(usage.blobId) && !taken.has(usage.blobId))
    if (joining.length === 0) {
      await removeTaken(partition, minutes, taken)
      if (minutes.every(({ usage }) => taken.has(usage.blobId))) await cursors.forgetTenant(hourStartMs, tenantId)
      return
    }
    const columns = hourColumns({
      blobIds: [...new Set([...taken, ...joining.map(({ usage }) => usage.blobId)])],
      groups: mergeGroups([...(hour?.usage.groups ?? []), ...joining.flatMap(({ usage }) => usage.groups)]),
    })
    if (!columns) {
      log.warn('an hour of usage is too large for one row; its minutes stay', { tenantId, hour: hourText(hourStartMs) })
      return
    }
    const rowKey = hourRowKey(hourStartMs)
    // Lost or won, the next round reads what is there then, and removes what has been taken in.
    await (hour ? partition.replace(rowKey, columns, hour.etag) : partition.insert(rowKey, columns))
  }
  throw new ProblemError(
    new Problem('storage_unavailable', 'Usage could not be compacted.', { internal: `${RACES_MAX} lost races` }),
  )
}

type Minute = Extract<StoredUsage, { kind: 'minute' }>
type Hour = Extract<StoredUsage, { kind: 'hour' }>

/** In key order, so that the hour is read after its minutes (Q2). */
async function readHour(partition: PartitionTable<UsageColumns>, hourStartMs: number) {
  const minutes: { rowKey: string; usage: Minute }[] = []
  let hour: { etag: string; usage: Hour } | undefined
  for await (const row of partition.range(hourText(hourStartMs), hourText(hourStartMs + HOUR_MS))) {
    const usage = readStored(row)
    if (usage.kind === 'minute') minutes.push({ rowKey: row.rowKey, usage })
    else hour = { etag: row.etag, usage }
  }
  return { minutes, hour }
}

/** Which of these blobs have rows that are final. */
type ClosedBlobs = (blobIds: readonly LogBlobId[]) => Promise<Set<LogBlobId>>

/** Asks once for each blob of an hour, however many tenants have rows of it. */
function closedBlobs(cursors: BlobCursors): ClosedBlobs {
  const known = new Map<LogBlobId, boolean>()
  return async (blobIds) => {
    for (const blobId of blobIds) if (!known.has(blobId)) known.set(blobId, await cursors.isClosed(blobId))
    return new Set(blobIds.filter((blobId) => known.get(blobId)))
  }
}

async function removeTaken(
  partition: PartitionTable<UsageColumns>,
  minutes: readonly { rowKey: string; usage: Minute }[],
  taken: ReadonlySet<LogBlobId>,
): Promise<void> {
  for (const { rowKey, usage } of minutes) if (taken.has(usage.blobId)) await partition.remove(rowKey)
}
