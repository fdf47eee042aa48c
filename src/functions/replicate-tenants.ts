import type { TimerFunctionOptions } from '@azure/functions'

/** Every five minutes. Late or twice at once: what is copied is what is there, and whoever comes second finds it done. */
export function replicateTenants(deps: { replicateTenants: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '0 */5 * * * *', handler: () => deps.replicateTenants() }
}
