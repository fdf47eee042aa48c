import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { StorageAccount } from '../storage/connect'
import { createAppendBlobs } from './append-blob'
import { durableCommit, type GroupCommit, type HeldCall } from './group-commit'
import { HOUR_MS, usageLogContainer } from './log-blob-name'
import { LogSegment, type SegmentContext } from './log-segment'
import { RefusalCounts } from './refusal-counts'
import { usageLogBounds, type UsageLogBounds } from './usage-log-bounds'
import type { OpenCall, WatchedUsageLog } from './usage-log'

/**
 * The usage log of this process, in append blobs of the container `usage-log` that only this process writes.
 * `instanceId` must be new per process: it is what makes the blobs' names unique.
 *
 * Nothing is awaited on the data path but `durable()`, which has nearly always happened by the time it is asked.
 */
export function createUsageLog(
  deps: { storage: StorageAccount; clock: Clock; instanceId: InstanceId; log: Log },
  bounds: UsageLogBounds = usageLogBounds,
): WatchedUsageLog {
  const { clock, log, instanceId } = deps
  const blobs = createAppendBlobs(deps.storage.container(usageLogContainer), { clock, attemptMs: bounds.attemptMs })
  const stop = new AbortController()
  const waiting = { clock, waitMs: bounds.durableWaitMs }
  const segments = new Set<LogSegment>()
  let current: LogSegment | undefined
  let sequence = 0
  const refusals = new RefusalCounts(instanceId, bounds.talliesMax)
  let refusalsLost = 0
  let stopLingering: (() => void) | undefined
  let heldCalls = 0
  let closing = false

  const context: SegmentContext = {
    blobs,
    clock,
    log,
    instanceId,
    bounds,
    stopped: stop.signal,
    onSettled: () => heldCalls--,
    onLost: (commits: readonly GroupCommit[]) => segmentOfNow().adopt(commits),
    onEnded: (segment: LogSegment) => segments.delete(segment),
  }

  /** The segment that takes the calls opened now; a full one, one of another hour and a lost one are left behind. */
  function segmentOfNow(): LogSegment {
    const hour = Math.floor(clock.now() / HOUR_MS)
    if (current && !current.isLost && !current.isFull && current.hour === hour) return current
    void current?.retire()
    current = new LogSegment(context, ++sequence)
    segments.add(current)
    return current
  }

  function isFailing(): boolean {
    const since = current?.failingSinceMs
    return since !== undefined && clock.monotonicMs() - since > bounds.refuseAfterFailingMs
  }

  function settle(call: HeldCall, settlement: HeldCall['settlement']) {
    assert(!call.settlement, `call ${call.intent.callId} was settled twice`)
    call.settlement = settlement
    // Still queued as a whole: its commit writes the settlement in place of the intent.
    if (call.encoded === 'nothing') return
    ;(call.segment.isLost ? segmentOfNow() : call.segment).put(call)
  }

  function tellRefusals() {
    stopLingering?.()
    stopLingering = undefined
    if (refusalsLost > 0) log.warn('more kinds of refusals than can be counted; some are lost', { count: refusalsLost })
    refusalsLost = 0
    if (!refusals.isEmpty) segmentOfNow().tell(refusals.take())
  }

  /** While storage does not take what is queued they go on being counted, in bounded memory. */
  function tellRefusalsSoon() {
    stopLingering ??= clock.after(bounds.tallyLingerMs, () => {
      stopLingering = undefined
      if (isFailing()) tellRefusalsSoon()
      else tellRefusals()
    })
  }

  const flush = async () => {
    if (!isFailing()) tellRefusals()
    const pending = [...segments].flatMap((segment) => segment.pending)
    await Promise.all(pending.map((commit) => durableCommit(commit, waiting)))
  }

  return {
    open: (intent) => {
      if (closing || heldCalls >= bounds.heldCallsMax || isFailing()) return undefined
      heldCalls++
      const call = segmentOfNow().open(intent)
      return {
        durable: () => durableCommit(call.firstCommit, waiting),
        settle: (settlement) => settle(call, settlement),
      } satisfies OpenCall
    },
    refused: (call) => {
      if (closing) return
      if (!refusals.add(call)) refusalsLost++
      tellRefusalsSoon()
    },
    flush,
    get behind() {
      if (isFailing()) return 'storage does not take it'
      return heldCalls >= bounds.heldCallsMax ? 'too many calls are held' : undefined
    },
    get overdueMs() {
      const nowMs = clock.monotonicMs()
      return Math.max(0, ...[...segments].map(({ pending: [oldest] }) => nowMs - (oldest?.lingersUntilMs ?? nowMs)))
    },
    close: async () => {
      closing = true
      tellRefusals()
      const drained = Promise.all([...segments].map((segment) => segment.drain()))
      await flush().catch((error: unknown) =>
        log.error('the usage log was closed with records that storage did not take', { error: describeError(error) }),
      )
      stop.abort()
      await drained
      await Promise.all([...segments].map((segment) => segment.retire()))
      await blobs.close()
    },
  }
}
