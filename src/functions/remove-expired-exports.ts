import type { TimerFunctionOptions } from '@azure/functions'

/** Each hour. Late or twice at once: what is gone is gone. */
export function removeExpiredExports(deps: { removeExpiredExports: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '0 30 * * * *', handler: () => deps.removeExpiredExports() }
}
