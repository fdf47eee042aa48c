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
import type { UsageColumns } from './usage-columns'
import { hourColumns, hourRowKey, hourText, readStored, type StoredUsage } from './usage-rows'
import { usageTable } from './usage-tables'

/** Minutes are kept this long after their hour; queries that reach further back are by whole hours. */
export const MINUTES_KEPT_MS = 72 * HOUR_MS
/** In one run; the next goes on. */
const HOURS_PER_RUN_MAX = 48
/** Rounds for one tenant and hour: one to learn of the blobs, one to take them in, one to remove, and those lost to others. */
const ROUNDS_MAX = 12

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
  let hourStartMs = await cursors.finishedBefore('compacted')
  if (rolledUp === undefined || hourStartMs === undefined) return
  const endMs = Math.min(hourStartOf(clock.now() - MINUTES_KEPT_MS), rolledUp)
  for (let hours = 0; hourStartMs < endMs && hours < HOURS_PER_RUN_MAX; hours++, hourStartMs += HOUR_MS) {
    const closed = closedBlobs(cursors)
    for await (const tenantId of cursors.tenantsOf(hourStartMs)) {
      await compactHour(deps, rows.partition(TenantScope.ofPlatform(tenantId)), { tenantId, hourStartMs, closed })
    }
    await cursors.finish('compacted', hourStartMs + HOUR_MS)
  }
}

async function compactHour(
  { cursors, log }: Deps,
  partition: PartitionTable<UsageColumns>,
  { tenantId, hourStartMs, closed }: { tenantId: TenantId; hourStartMs: number; closed: ClosedBlobs },
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { minutes, hour } = await readHour(partition, hourStartMs)
    // Rows are final only if they were read after their blob was known to be closed.
    if (await closed.learn(minutes.map(({ usage }) => usage.blobId))) continue
    const taken = new Set(hour?.usage.blobIds)
    const joining = minutes.filter(({ usage }) => closed.has(usage.blobId) && !taken.has(usage.blobId))
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
    new Problem('storage_unavailable', 'Usage could not be compacted.', {
      internal: `not done after ${ROUNDS_MAX} rounds`,
    }),
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

/** Which blobs were closed when they were asked for: each once for an hour, however many tenants have rows of it. */
interface ClosedBlobs {
  /** Asks for those that it has not asked for; true where there were any. */
  learn(blobIds: readonly LogBlobId[]): Promise<boolean>
  has(blobId: LogBlobId): boolean
}

function closedBlobs(cursors: BlobCursors): ClosedBlobs {
  const known = new Map<LogBlobId, boolean>()
  return {
    learn: async (blobIds) => {
      const unknown = new Set(blobIds.filter((blobId) => !known.has(blobId)))
      for (const blobId of unknown) known.set(blobId, await cursors.isClosed(blobId))
      return unknown.size > 0
    },
    has: (blobId) => known.get(blobId) === true,
  }
}

async function removeTaken(
  partition: PartitionTable<UsageColumns>,
  minutes: readonly { rowKey: string; usage: Minute }[],
  taken: ReadonlySet<LogBlobId>,
): Promise<void> {
  for (const { rowKey, usage } of minutes) if (taken.has(usage.blobId)) await partition.remove(rowKey)
}
