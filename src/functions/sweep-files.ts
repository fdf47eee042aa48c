import type { TimerFunctionOptions } from '@azure/functions'

/** Each five minutes. Late or twice at once: expired files are out of sight already, and each step can be repeated. */
export function sweepFiles(deps: { sweepFiles: () => Promise<void> }): TimerFunctionOptions {
  return { schedule: '0 */5 * * * *', handler: () => deps.sweepFiles() }
}
