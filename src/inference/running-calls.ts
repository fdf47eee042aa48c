import type { Clock } from '../base/clock'
import { Members } from '../base/members'
import { noTokens } from '../metering/usage-record'
import { TOTAL_TIMEOUT_MS } from './relay-stream'
import type { CallEnd, RunningCall } from './running-call'

/** A call whose answer nobody reads to its end (a server that broke before reading) is given up this long after its total timeout. */
export const ABANDONED_AFTER_MS = TOTAL_TIMEOUT_MS + 60_000
const DRAIN_POLL_MS = 50

/** The calls under way in this process: for a clean stop, and so that none can hold its reservation for ever. */
export interface RunningCalls {
  add(call: RunningCall): void
  remove(call: RunningCall): void
  readonly count: number
  /** Whether new calls are to be refused, since this instance is stopping. */
  readonly isClosing: boolean
  close(): void
  /** Ends calls that were abandoned; run it about once a minute. */
  sweep(): void
  /** Resolves when no call is under way, or after `graceMs`. True when none is left. */
  idle(graceMs: number): Promise<boolean>
  /** Tells those under way that what fails them from now on is the stop. */
  cut(): void
  /** Ends those that are left, so that each stands settled in the log; what they held is given back. */
  end(): void
}

/** What came of it nobody knows. */
const interrupted = {
  outcome: 'interrupted',
  status: 200,
  usage: noTokens,
  estimated: true,
  backend: undefined,
  attempts: 1,
} satisfies CallEnd

export function createRunningCalls(clock: Clock): RunningCalls {
  const calls = new Members<RunningCall>()
  let isClosing = false
  return {
    add: (call) => calls.add(call),
    remove: (call) => calls.delete(call),
    get count() {
      return calls.size
    },
    get isClosing() {
      return isClosing
    },
    close: () => {
      isClosing = true
    },
    sweep: () => {
      for (const call of calls) if (call.ageMs >= ABANDONED_AFTER_MS) call.end(interrupted)
    },
    cut: () => {
      for (const call of calls) call.isCut = true
    },
    end: () => {
      for (const call of calls) {
        const end: CallEnd = call.hasBegun ? interrupted : { ...interrupted, outcome: 'failed', status: 503 }
        call.end({ ...end, code: 'shutting_down' })
      }
    },
    idle: async (graceMs) => {
      const deadline = clock.monotonicMs() + graceMs
      while (calls.size > 0 && clock.monotonicMs() < deadline) await clock.sleep(DRAIN_POLL_MS)
      return calls.size === 0
    },
  }
}
