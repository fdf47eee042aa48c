import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { describeError } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import { stopping } from '../base/stopping'

/** One renewal tries the row so often; between tries it waits a random time whose bound doubles. */
const ATTEMPTS_MAX = 8
const BACKOFF_FIRST_MS_MAX = 16
const BACKOFF_MS_MAX = 200
/** Storage that failed twice in one renewal will not be asked a third time while calls wait. */
const FAILURES_MAX = 2
/** No further attempt is begun later than this. */
const RENEWAL_MS_MAX = 3_000
const STORAGE_RETRY_MS = 1_000

/** Tries until an attempt returns true. Throws `storage_unavailable` when the bounds above are used up. */
export async function attemptRenewal(
  { clock, chance }: { clock: Clock; chance: Chance },
  attempt: () => Promise<boolean>,
): Promise<void> {
  const startedMs = clock.monotonicMs()
  let failures = 0
  let cause: unknown
  for (let tried = 0; tried < ATTEMPTS_MAX && failures < FAILURES_MAX; tried++) {
    if (tried > 0) {
      await clock.sleep(Math.floor(chance.fraction() * Math.min(BACKOFF_FIRST_MS_MAX * 2 ** tried, BACKOFF_MS_MAX)))
      if (clock.monotonicMs() - startedMs > RENEWAL_MS_MAX) break
    }
    try {
      if (await attempt()) return
    } catch (error) {
      failures++
      cause = error
    }
  }
  throw limitsUnavailable(cause === undefined ? 'lost every race for the limits row' : describeError(cause), cause)
}

/** The limits cannot be checked, so the call cannot be admitted (fail closed). */
export function limitsUnavailable(internal: string, cause?: unknown): ProblemError {
  return new ProblemError(
    new Problem('storage_unavailable', 'The platform could not check the rate limits. Please try again.', {
      internal,
      retryAfterMs: STORAGE_RETRY_MS,
    }),
    { cause },
  )
}

/** For calls that come after a clean stop has begun. */
export function shuttingDown(): ProblemError {
  return new ProblemError(stopping)
}
