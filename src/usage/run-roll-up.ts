import type { ContainerClient } from '@azure/storage-blob'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import { sealBlob } from '../metering/append-blob'
import {
  dayPrefix,
  HOUR_MS,
  hourPrefix,
  parseLogBlobName,
  usageLogContainer,
  type LogBlobId,
} from '../metering/log-blob-name'
import type { UsageLog } from '../metering/usage-log'
import type { StorageAccount } from '../storage/connect'
import { createBlobCursors, hourStartOf, type BlobCursor, type BlobCursors } from './blob-cursors'
import { createRecentUsage } from './recent-usage'
import { compactHours } from './compact-hours'
import { createDayRows } from './day-rows'
import { inParallel } from '../base/in-parallel'
import { usageArchiveContainer } from './log-archive'
import { makeDays } from './make-days'
import { createBlobRollUps, type BlobRollUps, type LogBlob } from './roll-up-blob'
import { cursorTable, dayTable, reportTable, usageTable } from './usage-tables'

/** What the usage log, its roll-up and its queries need to exist. */
export const usageStorage = {
  tables: [usageTable, dayTable, reportTable, cursorTable],
  containers: [usageLogContainer, usageArchiveContainer],
}

export interface RollUp {
  /**
   * Rolls up every log blob that grew since it was last rolled up, by whichever process. Joins a run that is under way.
   * With `fresh`, the run begins after the call, and what this process's own log was handed before is in it: rows read
   * afterwards are exact as of now. Fresh runs begin at most once in FRESH_INTERVAL_MS; whoever asks meanwhile waits and
   * shares the next one. Throws where a blob could not be rolled up (after doing the others); the next run tries again.
   */
  run(options?: { fresh?: boolean }): Promise<void>
  /**
   * Takes the minutes of hours long past together, makes the rows of days, and forgets old notes. For a timer; safe at any time, by several
   * at once.
   */
  compact(): Promise<void>
}

export const FRESH_INTERVAL_MS = 1_000
/** A blob is sealed this long after the end of its hour; a call that is open even then settles in another blob. */
export const SEAL_AFTER_MS = 2 * HOUR_MS
/** Compaction begins this much before the first blob's hour: no call counts in an hour longer before its blob's than this. */
const FIRST_HOURS_BACK = 24
/** They share one thread; the second reads while the first waits for its rows to be written. */
const SMALL_BLOBS_AT_ONCE_MAX = 2
/** What is kept of a larger one's calls is megabytes: it is rolled up by itself. */
const SMALL_BLOB_BYTES_MAX = 4 * 1024 * 1024
/** Further behind than this, days are listed rather than hours. */
const HOURS_LISTED_MAX = 48
/** Queries wait for a run, and most of one of which there is little to do is waiting for storage. */
const HOURS_ASKED_AT_ONCE = 4

export function createRollUp(deps: {
  storage: StorageAccount
  clock: Clock
  log: Log
  /** This process's log, flushed by fresh runs. */
  ownLog?: Pick<UsageLog, 'flush'>
}): RollUp {
  const { storage, clock, log, ownLog } = deps
  const container = storage.container(usageLogContainer)
  const cursors = createBlobCursors(storage)
  const recent = createRecentUsage({ storage, clock, cursors })
  const blobs = createBlobRollUps({ storage, container, cursors, recent, clock, log })
  const parts = { container, clock, cursors, blobs }
  let running: Promise<void> | undefined
  let coming: Promise<void> | undefined
  let startedAtMs = -Infinity

  /** Sets `running` before anything is awaited, so that there is never more than one run under way. */
  function start(before: () => Promise<void>): Promise<void> {
    startedAtMs = clock.monotonicMs()
    running = before()
      .then(() => rollUpAll(parts))
      .finally(() => (running = undefined))
    return running
  }

  async function startFresh(): Promise<void> {
    // This promise becomes `coming` only once we have yielded, and must not be taken off it before.
    await Promise.resolve()
    for (;;) {
      const waitMs = startedAtMs + FRESH_INTERVAL_MS - clock.monotonicMs()
      // A failure of that run is its callers' business.
      if (running) await running.catch(nothing)
      else if (waitMs > 0) await clock.sleep(waitMs)
      else break
    }
    // Whoever asks from here on may have settled a call after the flush, and needs the run after this one.
    coming = undefined
    await start(async () => ownLog?.flush())
  }

  return {
    run: ({ fresh = false } = {}) => (fresh ? (coming ??= startFresh()) : (running ?? start(async () => {}))),
    compact: async () => {
      await compactHours({ storage, clock, cursors, log })
      await makeDays({ clock, cursors, days: createDayRows({ storage, clock }), log })
      await recent.forgetOld()
    },
  }
}

const nothing = () => {}

interface Parts {
  readonly container: ContainerClient
  readonly clock: Clock
  readonly cursors: BlobCursors
  readonly blobs: BlobRollUps
}

/** One run: what may have grown, hour by hour; then the hours before which nothing can grow any more are left behind. */
async function rollUpAll(parts: Parts): Promise<void> {
  const { container, clock, cursors } = parts
  const nowMs = clock.now()
  const finishedMs = await cursors.finishedBefore('rolled-up')
  const fromMs = finishedMs ?? (await firstHour(parts))
  if (fromMs === undefined) return
  const failures: unknown[] = []
  const hours = [...(await listHours(container, fromMs, nowMs))]
  for (let at = 0; at < hours.length; at += HOURS_ASKED_AT_ONCE) {
    const asked = hours
      .slice(at, at + HOURS_ASKED_AT_ONCE)
      .map(async ([hourStartMs, found]) => ({ found, known: await cursors.ofHour(hourStartMs) }))
    for (const hour of await Promise.all(asked))
      await rollUpHour(parts, { ...hour, nowMs }).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
  // Every blob of an hour that is over for SEAL_AFTER_MS has been sealed and rolled up to its end by now.
  const reachedMs = Math.max(fromMs, hourStartOf(nowMs - SEAL_AFTER_MS))
  if (reachedMs !== finishedMs) await cursors.finish('rolled-up', reachedMs)
}

/** Throws where one failed, behind the others. */
async function rollUpHour(parts: Parts, { found, known, nowMs }: HourOfLog): Promise<void> {
  const isSmall = ({ bytes }: LogBlob) => bytes <= SMALL_BLOB_BYTES_MAX
  const small = { some: found.filter(isSmall), atOnce: SMALL_BLOBS_AT_ONCE_MAX }
  const large = { some: found.filter((blob) => !isSmall(blob)), atOnce: 1 }
  const failures: unknown[] = []
  for (const { some, atOnce } of [small, large])
    await inParallel(some, atOnce, (blob) => visit(parts, { blob, cursor: known.get(blob.blobId), nowMs })).catch(
      (error: unknown) => failures.push(error),
    )
  if (failures.length > 0) throw failures[0]
}

interface HourOfLog {
  readonly found: readonly LogBlob[]
  readonly known: ReadonlyMap<LogBlobId, BlobCursor>
  readonly nowMs: number
}

async function visit(
  { container, blobs }: Parts,
  { blob, cursor, nowMs }: { blob: LogBlob; cursor: BlobCursor | undefined; nowMs: number },
): Promise<void> {
  if (cursor?.closed) return
  const mustEnd = !blob.sealed && blob.hourStartMs + HOUR_MS + SEAL_AFTER_MS <= nowMs
  const current = mustEnd ? await seal(container, blob) : blob
  if (current.sealed || current.bytes > (cursor?.position ?? 0)) await blobs.catchUp(current, cursor)
}

/** Its length is only known once nobody can append to it any more. */
async function seal(container: ContainerClient, blob: LogBlob): Promise<LogBlob> {
  await sealBlob(container, blob.name)
  const { contentLength } = await container.getBlobClient(blob.name).getProperties()
  return { ...blob, sealed: true, bytes: contentLength ?? blob.bytes }
}

/** Where everything begins, on the first run; undefined while there is no log. */
async function firstHour({ container, cursors }: Parts): Promise<number | undefined> {
  for await (const { name } of container.listBlobsFlat()) {
    const parsed = parseLogBlobName(name)
    if (!parsed) continue
    await cursors.finish('compacted', parsed.hourStartMs - FIRST_HOURS_BACK * HOUR_MS)
    return parsed.hourStartMs
  }
  return undefined
}

/** By hour, in order. One hour beyond now, since another instance's clock may be ahead of ours. */
async function listHours(container: ContainerClient, fromMs: number, nowMs: number): Promise<Map<number, LogBlob[]>> {
  const lastMs = nowMs + HOUR_MS
  const byHour = (lastMs - fromMs) / HOUR_MS <= HOURS_LISTED_MAX
  const [prefixOf, stepMs] = byHour ? [hourPrefix, HOUR_MS] : [dayPrefix, 24 * HOUR_MS]
  const prefixes = new Set<string>()
  for (let ms = fromMs; ms < lastMs + stepMs; ms += stepMs) prefixes.add(prefixOf(Math.min(ms, lastMs)))
  const hours = new Map<number, LogBlob[]>()
  await inParallel([...prefixes], HOURS_ASKED_AT_ONCE, async (prefix) => {
    for await (const { name, properties } of container.listBlobsFlat({ prefix })) {
      const parsed = parseLogBlobName(name)
      if (!parsed || parsed.hourStartMs < fromMs) continue
      const blobs = hours.get(parsed.hourStartMs) ?? []
      blobs.push({ ...parsed, name, bytes: properties.contentLength ?? 0, sealed: properties.isSealed === true })
      hours.set(parsed.hourStartMs, blobs)
    }
  })
  return new Map([...hours].sort(([a], [b]) => a - b))
}
