import { Problem, ProblemError } from '../base/problem'
import type { Clock } from '../base/clock'
import { encodeIntent, encodeSettled, encodeTally } from './log-line'
import type { CallIntent, CallSettlement, CallTally } from './usage-record'
import type { LogSegment } from './log-segment'

/** A call that the log holds in memory: from `open` until its settlement is durable. */
export interface HeldCall {
  readonly intent: CallIntent
  settlement: CallSettlement | undefined
  /** What of the call has been put into a group commit that is under way or done. */
  encoded: 'nothing' | 'intent' | 'settlement'
  /** Where the call was opened, and settles if that blob can still be written. */
  segment: LogSegment
  /** The segment in whose blob the intent is durable. */
  intentIn: LogSegment | undefined
  /** The group commit after which the call's first record is durable. */
  firstCommit: GroupCommit
}

/** What one append writes. Calls join it until it departs; its bytes are fixed then, so that an append can be repeated. */
export interface GroupCommit {
  /** Empty once durable. */
  calls: HeldCall[]
  readonly tallies: CallTally[]
  /** Until when it takes calls if nobody asks for it earlier, on the monotonic clock. */
  readonly lingersUntilMs: number
  departed: boolean
  durable: boolean
  /** How many wait for it, and who wants to know when one more does. */
  waiting: number
  onWaiting: (() => void) | undefined
  /** Made when the first call waits; most calls end long after their commit. */
  wait: PromiseWithResolvers<void> | undefined
  stopWaiting: (() => void) | undefined
}

export const newGroupCommit = (lingersUntilMs: number): GroupCommit => ({
  calls: [],
  tallies: [],
  lingersUntilMs,
  departed: false,
  durable: false,
  waiting: 0,
  onWaiting: undefined,
  wait: undefined,
  stopWaiting: undefined,
})

/**
 * The commit's lines, and which records they are. A call whose settlement came before its intent was written gets one line.
 * A call can be in two commits of a segment; the lines of the later one leave out what the earlier one holds.
 */
export function encodeCommit(commit: GroupCommit, segment: LogSegment) {
  const intents: HeldCall[] = []
  const settled: HeldCall[] = []
  let text = commit.tallies.map(encodeTally).join('')
  for (const call of commit.calls) {
    if (call.settlement && call.encoded !== 'settlement') {
      const intentElsewhere = call.intentIn !== undefined && call.intentIn !== segment
      text += encodeSettled(call.intent, call.settlement, intentElsewhere)
      call.encoded = 'settlement'
      settled.push(call)
    } else if (call.encoded === 'nothing') {
      text += encodeIntent(call.intent)
      call.encoded = 'intent'
      intents.push(call)
    }
  }
  return { bytes: Buffer.from(text), intents, settled }
}

/** Resolves when the commit is durable; rejects with `metering_unavailable` once it has been waited for `waitMs`. */
export function durableCommit(commit: GroupCommit, { clock, waitMs }: { clock: Clock; waitMs: number }): Promise<void> {
  if (commit.durable) return DONE
  if (!commit.wait) {
    const wait = Promise.withResolvers<void>()
    commit.wait = wait
    // Whoever asked may have gone by the time it rejects.
    wait.promise.catch(nothing)
    commit.stopWaiting = clock.after(waitMs, () => {
      // Whoever asks next waits anew: storage may be back.
      commit.wait = undefined
      wait.reject(meteringUnavailable(waitMs))
    })
  }
  commit.waiting++
  commit.onWaiting?.()
  return commit.wait.promise
}

/** Lets go of its calls: a call names the commit that it was opened in, and the next commit names the call, so all would hold each other. */
export function markDurable(commit: GroupCommit): void {
  commit.durable = true
  commit.calls = []
  commit.stopWaiting?.()
  commit.stopWaiting = undefined
  commit.wait?.resolve()
  commit.wait = undefined
}

const DONE = Promise.resolve()
const nothing = () => {}

const meteringUnavailable = (waitMs: number) =>
  new ProblemError(
    new Problem('metering_unavailable', 'The usage of this call could not be recorded. Try again later.', {
      internal: `the usage log was not durable within ${waitMs} ms`,
    }),
  )
