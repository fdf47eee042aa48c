import type { TimerFunctionOptions } from '@azure/functions'

/** Each hour. Late or twice at once: what is written is what was counted, and what was begun is not begun again. */
export function watchDrift(deps: { watchDrift: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '0 20 * * * *', handler: () => deps.watchDrift() }
}
