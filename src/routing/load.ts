import { BoundedMap } from '../base/bounded-map'
import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import type { Backend } from './backend'
import { throughputOf } from './throughput'

/**
 * How full provisioned throughput is, so that calls spill over before it has to refuse them. Azure keeps a leaky bucket for
 * each deployment: a call is refused while the bucket is full (100 % utilisation), else its estimate is added; the
 * bucket drains a minute's capacity a minute, and is corrected when the call has ended (Azure's page on provisioned throughput).
 * This is the same bucket as far as this instance knows it: its own calls where the backend's capacity is said, and the
 * utilisation that answers report, in which the calls of all instances are.
 */
export interface BackendLoad {
  /** Whether calls do better elsewhere. Pay-as-you-go reports no utilisation and is never saturated. */
  isSaturated(backend: Backend): boolean
  /** Adds a call that goes there now, prompt and the output that it may have. */
  reserve(backend: Backend, tokens: ReservedTokens): LoadHold
  /** What an answer's header says: 1 is full. */
  reported(backend: Backend, utilization: number): void
  /** It has refused a call and asks for a wait, which is how long it takes to be below full. */
  refused(backend: Backend, waitMs: number): void
}

export interface ReservedTokens {
  readonly promptTokens: number
  readonly outputTokens: number
}

/** A call's part of the bucket. */
export interface LoadHold {
  /** Once: replaces the estimate by what was used; undefined where the call was not let in. */
  settle(used: UsedTokens | undefined): void
}

export interface UsedTokens extends ReservedTokens {
  /** Part of the prompt; they weigh nothing. */
  readonly cachedTokens: number
}

/** The bucket is one minute's capacity. */
const DRAIN_MS = 60_000
/**
 * Full once, it counts as full until it has drained to this. At the brink every call that one instance gets in would have the
 * next one of another instance refused, which cannot know of it; so instances fill it in turns of many calls.
 */
export const RESUME_AT = 0.97
/** A header or a wait that says more is no utilisation. */
const UTILIZATION_MAX = 10
const BACKENDS_MAX = 10_000

interface Level {
  /** Part of the capacity: 1 is full. */
  filled: number
  atMs: number
  wasFull: boolean
}

const noHold: LoadHold = { settle: () => {} }

export function createBackendLoad(clock: Clock): BackendLoad {
  const levels = new BoundedMap<BackendId, Level>(BACKENDS_MAX)

  const levelOf = (id: BackendId): Level => {
    const nowMs = clock.monotonicMs()
    let level = levels.get(id)
    if (!level) {
      level = { filled: 0, atMs: nowMs, wasFull: false }
      levels.keep(id, level)
    }
    level.filled = Math.max(0, level.filled - (nowMs - level.atMs) / DRAIN_MS)
    level.atMs = nowMs
    if (level.filled < RESUME_AT) level.wasFull = false
    return level
  }

  const fill = (level: Level, to: number) => {
    level.filled = to
    if (to >= 1) level.wasFull = true
  }

  return {
    isSaturated: ({ id, capacity }) => capacity === 'ptu' && levels.get(id) !== undefined && levelOf(id).wasFull,
    reserve: ({ id, capacity, throughput: said }, { promptTokens, outputTokens }) => {
      if (capacity !== 'ptu' || !said) return noHold
      const { inputTokensPerMinute, outputWeight } = throughputOf(said)
      const shareOf = (prompt: number, output: number) => (prompt + output * outputWeight) / inputTokensPerMinute
      const reserved = shareOf(promptTokens, outputTokens)
      const level = levelOf(id)
      fill(level, level.filled + reserved)
      let held = true
      return {
        settle: (used) => {
          if (!held) return
          held = false
          const spent = used ? shareOf(used.promptTokens - used.cachedTokens, used.outputTokens) : 0
          const level = levelOf(id)
          fill(level, Math.max(0, level.filled + spent - reserved))
        },
      }
    },
    reported: ({ id, capacity }, utilization) => {
      if (capacity !== 'ptu' || utilization > UTILIZATION_MAX) return
      // Calls that went out since the header was written are not in it: the fuller of the two is right.
      const level = levelOf(id)
      fill(level, Math.max(level.filled, utilization))
    },
    refused: ({ id, capacity }, waitMs) => {
      if (capacity !== 'ptu' || waitMs / DRAIN_MS > UTILIZATION_MAX) return
      const level = levelOf(id)
      fill(level, Math.max(level.filled, 1 + waitMs / DRAIN_MS))
    },
  }
}
