import type { TimerFunctionOptions } from '@azure/functions'

/** Each five minutes; of a model there is something to do once an hour. Late or twice at once: each step can be repeated. */
export function lookAfterModels(deps: { lookAfterModels: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '30 */5 * * * *', handler: () => deps.lookAfterModels() }
}
