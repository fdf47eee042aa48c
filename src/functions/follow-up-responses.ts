import type { TimerFunctionOptions } from '@azure/functions'

/** Each minute. Late, twice at once or after a crash: what a response used counts once. */
export function followUpResponses(deps: { followUpResponses: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '20 * * * * *', handler: () => deps.followUpResponses() }
}
