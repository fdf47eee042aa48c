import type { TimerFunctionOptions } from '@azure/functions'

/** Each minute. Late, twice at once or after a crash: the sums are the same (I9). */
export function rollUpUsage(deps: { rollUpUsage: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '0 * * * * *', handler: () => deps.rollUpUsage() }
}
