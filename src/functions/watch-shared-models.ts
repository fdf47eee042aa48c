import type { TimerFunctionOptions } from '@azure/functions'

/** Each five minutes. Late or twice at once: what it goes on with can be repeated. */
export function watchSharedModels(deps: { watchSharedModels: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '30 */5 * * * *', handler: () => deps.watchSharedModels() }
}
