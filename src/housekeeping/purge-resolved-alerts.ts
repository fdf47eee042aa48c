import type { RemoveOldAlerts } from '../alerts/remove-old-alerts'
import type { Clock } from '../base/clock'
import type { Purge } from './purge'

/** Alerts that were resolved long ago, the oldest first; what is found is what is over, so a round needs no position. */
export function purgeResolvedAlerts({
  removeOldAlerts,
  keptMs,
  clock,
}: {
  removeOldAlerts: RemoveOldAlerts
  keptMs: number
  clock: Clock
}): Purge {
  return {
    id: 'resolved-alerts',
    run: async ({ dry, countMax, isOver }) => {
      const count = await removeOldAlerts({ resolvedBeforeMs: clock.now() - keptMs, countMax, dry, isOver })
      return { count, position: undefined }
    },
  }
}
