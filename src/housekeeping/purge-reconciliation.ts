import type { Clock } from '../base/clock'
import type { ReconciliationStore } from '../reconciliation/reconciliation-store'
import type { Purge } from './purge'

/** In one piece; a platform that was not tidied for a month catches up within a day. */
const DAYS_PER_PIECE_MAX = 7

/** Whole days of comparisons, the oldest first. The store remembers which day is the oldest, so a round needs no position. */
export function purgeReconciliation({
  store,
  keptMs,
  clock,
}: {
  store: Pick<ReconciliationStore, 'removeBefore' | 'countBefore'>
  keptMs: number
  clock: Clock
}): Purge {
  return {
    id: 'reconciliation',
    run: async ({ dry }) => {
      const beforeMs = clock.now() - keptMs
      const count = await (dry ? store.countBefore : store.removeBefore)(beforeMs, DAYS_PER_PIECE_MAX)
      return { count, position: undefined }
    },
  }
}
