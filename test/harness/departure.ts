import type { Departure } from '../../src/base/departure'

/** Of a client that a test lets go. */
export const departureBy = (signal: AbortSignal): Departure => ({
  signal,
  get hasGone() {
    return signal.aborted
  },
})
