import type { TimerFunctionOptions } from '@azure/functions'

/** Each night. Late or twice at once: what is gone is gone, and what is in use stays. */
export function removeOldBudgets(deps: { removeOldBudgets: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '0 40 3 * * *', handler: () => deps.removeOldBudgets() }
}
