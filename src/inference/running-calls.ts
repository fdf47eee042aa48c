import type { Clock } from '../base/clock'
import { Members } from '../base/members'
import { noTokens } from '../metering/usage-record'
import { TOTAL_TIMEOUT_MS } from './relay-stream'
import type { RunningCall } from './running-call'

/** A call whose answer nobody reads to its end (a server that broke before reading) is given up this long after its total timeout. */
export const ABANDONED_AFTER_MS = TOTAL_TIMEOUT_MS + 60_000
const DRAIN_POLL_MS = 50

/** The calls under way in this process: for a clean stop, and so that none can hold its reservation for ever. */
export interface RunningCalls {
  add(call: RunningCall): void
  remove(call: RunningCall): void
  readonly count: number
  /** Ends calls that were abandoned; run it about once a minute. */
  sweep(): void
  /** Resolves when no call is under way, or after `graceMs`. True when none is left. */
  idle(graceMs: number): Promise<boolean>
}

export function createRunningCalls(clock: Clock): RunningCalls {
  const calls = new Members<RunningCall>()
  return {
    add: (call) => calls.add(call),
    remove: (call) => calls.delete(call),
    get count() {
      return calls.size
    },
    sweep: () => {
      for (const call of calls) {
        if (call.ageMs < ABANDONED_AFTER_MS) continue
        call.end({
          outcome: 'interrupted',
          status: 200,
          usage: noTokens,
          estimated: true,
          backend: undefined,
          attempts: 1,
        })
      }
    },
    idle: async (graceMs) => {
      const deadline = clock.monotonicMs() + graceMs
      while (calls.size > 0 && clock.monotonicMs() < deadline) await clock.sleep(DRAIN_POLL_MS)
      return calls.size === 0
    },
  }
}
