import type { ContainerClient } from '@azure/storage-blob'
import type { Clock } from '../base/clock'
import { HOUR_MS, hourPrefix, parseLogBlobName, usageLogContainer } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import { createBlobCursors, hourStartOf, type BlobCursors } from './blob-cursors'
import { DAY_MS } from './day-rows'
import { createLogArchive, usageArchiveContainer, type LogArchive } from './log-archive'

/** A blob goes to the archive so long after its hour: by then disputes about last week's calls read it where it was written. */
export const ARCHIVED_AFTER_MS = 7 * DAY_MS
/** What was archived is deleted so long after its hour: a year's bills can be made again, and the last of them disputed for a month. */
export const LOG_KEPT_MS = 400 * DAY_MS
/** Of one run; the next goes on. A run a day keeps up, and two weeks are caught up on in one. */
const HOURS_PER_RUN_MAX = 14 * 24

interface Parts {
  readonly clock: Clock
  readonly cursors: BlobCursors
  readonly archive: LogArchive
  readonly log: ContainerClient
  readonly archived: ContainerClient
}

/**
 * Takes what is old from the log to the archive, and what is older away; how many blobs that were. Goes hour by hour and remembers how
 * far it is, never beyond what has been rolled up and compacted. Twice at once, late or broken off, it ends the same.
 */
export function createKeepLog({ storage, clock }: { storage: StorageAccount; clock: Clock }): () => Promise<number> {
  const parts: Parts = {
    clock,
    cursors: createBlobCursors(storage),
    archive: createLogArchive(storage),
    log: storage.container(usageLogContainer),
    archived: storage.container(usageArchiveContainer),
  }
  return async () => (await archiveHours(parts)) + (await deleteHours(parts))
}

async function archiveHours({ clock, cursors, archive, log }: Parts): Promise<number> {
  const compacted = await cursors.finishedBefore('compacted')
  if (compacted === undefined) return 0
  const endMs = Math.min(compacted, hourStartOf(clock.now() - ARCHIVED_AFTER_MS))
  const fromMs = (await cursors.finishedBefore('archived')) ?? (await firstHourOf(log)) ?? endMs
  let blobs = 0
  for (const hourStartMs of hoursBetween(fromMs, endMs)) {
    const known = await cursors.ofHour(hourStartMs)
    for await (const { name } of log.listBlobsFlat({ prefix: hourPrefix(hourStartMs) })) {
      const blobId = parseLogBlobName(name)?.blobId
      // One that is not closed after days is a defect to look at, and its hour is the place to stop.
      if (blobId && known.get(blobId)?.closed !== true) throw new Error(`${name} was never rolled up to its end`)
      if (!blobId) continue
      await archive.take(name)
      blobs++
    }
    await cursors.finish('archived', hourStartMs + HOUR_MS)
  }
  return blobs
}

async function deleteHours({ clock, cursors, log, archived }: Parts): Promise<number> {
  const taken = await cursors.finishedBefore('archived')
  if (taken === undefined) return 0
  const endMs = Math.min(taken, hourStartOf(clock.now() - LOG_KEPT_MS))
  const fromMs = (await cursors.finishedBefore('deleted')) ?? (await firstHourOf(archived)) ?? endMs
  let blobs = 0
  for (const hourStartMs of hoursBetween(fromMs, endMs)) {
    for (const container of [archived, log])
      for await (const { name } of container.listBlobsFlat({ prefix: hourPrefix(hourStartMs) })) {
        await container.getBlobClient(name).deleteIfExists()
        blobs++
      }
    await cursors.forgetHour(hourStartMs)
    await cursors.finish('deleted', hourStartMs + HOUR_MS)
  }
  return blobs
}

function hoursBetween(fromMs: number, endMs: number): number[] {
  const hours = Math.min(HOURS_PER_RUN_MAX, Math.max(0, Math.ceil((endMs - fromMs) / HOUR_MS)))
  return Array.from({ length: hours }, (_, i) => fromMs + i * HOUR_MS)
}

/** Blobs are listed in the order of their hours. */
async function firstHourOf(container: ContainerClient): Promise<number | undefined> {
  for await (const { name } of container.listBlobsFlat()) {
    const parsed = parseLogBlobName(name.replace(/\.gz$/, ''))
    if (parsed) return parsed.hourStartMs
  }
  return undefined
}
