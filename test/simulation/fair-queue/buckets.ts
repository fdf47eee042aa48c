import type { BackendSays } from '../../../src/fairness/turn'

/** How a simulated backend refuses, by the providers' own rules. Tokens are what is asked for; times in milliseconds. */
export interface Bucket {
  /** Undefined when admitted, else the wait that is asked for. */
  admit(tokens: number, nowMs: number): number | undefined
  settle(estimated: number, used: number, nowMs: number): void
  /** What its answers say is left. */
  says(nowMs: number): BackendSays
}

/** Provisioned throughput: a minute's capacity that drains all the time; admits while it is not full, corrects at the end. */
export function leakyBucket(tokensPerMinute: number): Bucket {
  let level = 0
  let atMs = 0
  const drain = (nowMs: number) => {
    level = Math.max(0, level - ((nowMs - atMs) / 60_000) * tokensPerMinute)
    atMs = nowMs
  }
  return {
    admit: (tokens, nowMs) => {
      drain(nowMs)
      if (level >= tokensPerMinute) return Math.ceil(((level - tokensPerMinute + 1) / tokensPerMinute) * 60_000)
      level += tokens
      return undefined
    },
    settle: (estimated, used, nowMs) => {
      drain(nowMs)
      level = Math.max(0, level + used - estimated)
    },
    says: (nowMs) => {
      drain(nowMs)
      return { quota: undefined, utilization: level / tokensPerMinute }
    },
  }
}

/** Pay-as-you-go: a counter that starts anew each minute and never gives back what was estimated. */
export function minuteWindow(tokensPerMinute: number): Bucket {
  let used = 0
  let endsAtMs = -Infinity
  return {
    admit: (tokens, nowMs) => {
      if (nowMs >= endsAtMs) {
        used = 0
        endsAtMs = nowMs + 60_000
      }
      if (used + tokens > tokensPerMinute) return Math.ceil(endsAtMs - nowMs)
      used += tokens
      return undefined
    },
    settle: () => {},
    says: (nowMs) => ({
      quota: {
        tokensMax: tokensPerMinute,
        tokensLeft: nowMs < endsAtMs ? tokensPerMinute - used : tokensPerMinute,
        // Whole seconds, as the header has them.
        resetMs: Math.ceil(Math.max(0, endsAtMs - nowMs) / 1_000) * 1_000,
      },
      utilization: undefined,
    }),
  }
}
