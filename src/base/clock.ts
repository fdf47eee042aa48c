/** Where time comes from. Everything that waits or reads the time takes one, so that tests can move it by hand. */
export interface Clock {
  /** Wall time in milliseconds since the Unix epoch, UTC. */
  now(): number
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  monotonicMs(): number
  /** Runs `work` once after `ms` (0 or more), unless the function it returns is called first. Does not keep the process alive. */
  after(ms: number, work: () => void): () => void
  /** Resolves after `ms` (0 or more). Does not keep the process alive. An aborted signal ends the wait early, without an error. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const nothing = () => {}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      timer.unref()
      signal?.addEventListener('abort', done, { once: true })
    }),
}

export interface Repeating {
  /** Stops the repetition and resolves when a run that is under way has ended. */
  stop(): Promise<void>
}

/**
 * Runs `work` every `intervalMs`, never twice at once; the next interval starts when the run has ended.
 * A failure goes to `onError` and does not stop the repetition.
 */
export function repeat(
  { clock, onError }: { clock: Clock; onError: (error: unknown) => void },
  intervalMs: number,
  work: () => Promise<void>,
): Repeating {
  const stopping = new AbortController()
  const loop = async () => {
    for (;;) {
      await clock.sleep(intervalMs, stopping.signal)
      if (stopping.signal.aborted) return
      await work().catch(onError)
    }
  }
  const ended = loop()
  ended.catch(nothing)
  return {
    stop: () => {
      stopping.abort()
      return ended
    },
  }
}
