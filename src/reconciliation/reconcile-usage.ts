import { describeError } from '../base/log'
import { looks, type Look } from './reconciliation-store'
import { reconcileHour, type ReconcileDeps } from './reconcile-hour'

const HOUR_MS = 3_600_000
/**
 * How long after its end an hour is looked at. Azure Monitor has platform metrics within minutes; a stream may go on for 20 of them, and
 * a batch's lines may be entered up to a day after the hour that they count in.
 */
const settledAfterMs: Record<Look, number> = { first: HOUR_MS, final: 25 * HOUR_MS }
/** Azure Monitor keeps platform metrics for 93 days; what lies further back cannot be compared any more. */
export const METRICS_KEPT_MS = 93 * 24 * HOUR_MS
/** Below the half hour that the Functions host gives an invocation; the next one goes on at the hour where this one stopped. */
const RUN_MS_MAX = 15 * 60_000
/** Of one look in one run: after a pause of two days a run has caught up. */
const HOURS_PER_RUN_MAX = 48

/**
 * Compares every hour that is due, each look at its own pace; how many rows were written. For a timer: late, twice at once or after a
 * crash it does what is left, and an hour done twice says the same. On the first run of all it begins with the last hour that is due.
 */
export function createReconcileUsage(deps: ReconcileDeps): () => Promise<number> {
  const { store, clock, log } = deps
  return async () => {
    const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
    let rows = 0
    for (const look of looks) {
      const dueMs = hourStartOf(clock.now() - settledAfterMs[look])
      const oldestMs = hourStartOf(clock.now() - METRICS_KEPT_MS) + HOUR_MS
      let hourMs = Math.max((await store.next(look)) ?? dueMs - HOUR_MS, oldestMs)
      for (let hours = 0; hourMs < dueMs && hours < HOURS_PER_RUN_MAX; hours++, hourMs += HOUR_MS) {
        if (clock.monotonicMs() >= endsAtMs) {
          log.warn('comparing usage with the provider takes longer than its time', { look, hour: hourMs })
          break
        }
        try {
          rows += await reconcileHour(deps, { hourMs, look })
        } catch (error) {
          // Our own side could not be read: the hour is tried again, since nothing is known of it.
          log.error('an hour could not be compared with the provider', {
            look,
            hour: hourMs,
            error: describeError(error),
          })
          break
        }
        await store.advance(look, hourMs + HOUR_MS)
      }
    }
    return rows
  }
}

const hourStartOf = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS
