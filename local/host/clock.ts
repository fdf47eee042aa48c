/** Time for everything in the host that waits; tests of the durable engine move it by hand. */
export interface HostClock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls back at or soon after `atMs`, never before. Returns how to call it off. */
  at(atMs: number, wake: () => void): () => void
}

/** `setTimeout` cannot wait longer than 2^31 - 1 ms, about 24.8 days; longer waits are split. */
const SINGLE_WAIT_MS_MAX = 2_147_483_647

export const systemHostClock: HostClock = {
  now: Date.now,
  at: (atMs, wake) => {
    let timer: NodeJS.Timeout | undefined
    const wait = () => {
      // A timer can be a millisecond early, which is why it looks again instead of trusting the first wake-up.
      const restMs = atMs - Date.now()
      if (restMs <= 0 && timer) return wake()
      timer = setTimeout(wait, Math.max(0, Math.min(restMs, SINGLE_WAIT_MS_MAX)))
    }
    wait()
    return () => clearTimeout(timer)
  },
}

/** Resolves at `atMs`, or as soon as the signal is aborted. */
export function sleepUntil(clock: HostClock, atMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const wake = () => {
      signal.removeEventListener('abort', wake)
      cancel()
      resolve()
    }
    const cancel = clock.at(atMs, wake)
    signal.addEventListener('abort', wake)
  })
}
