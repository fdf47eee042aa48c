import type { Clock } from '../../src/base/clock'

export interface HandClock extends Clock {
  /** Moves time on and wakes, in order, whoever slept until then; lets their promises run in between. */
  advance(ms: number): Promise<void>
  /** Moves time on at once, as for a process that slept: whoever should have woken on the way does so now, once. */
  jump(ms: number): Promise<void>
}

/**
 * A clock that stands still until a test moves it. Behind each sleeper that it wakes it waits for `settle`: by default for a turn of
 * the event loop; with `rest` of `watchTraffic` until requests that came of it are answered, so that they take no time at all.
 */
export function handClock(startMs = Date.UTC(2026, 0, 1), settle = settleMicrotasks): HandClock {
  let nowMs = startMs
  let sleepers: { at: number; wake: () => void }[] = []
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    after: (ms, work) => {
      const sleeper = { at: nowMs + ms, wake: work }
      sleepers.push(sleeper)
      return () => {
        sleepers = sleepers.filter((other) => other !== sleeper)
      }
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper = { at: nowMs + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper)
          resolve()
        })
      }),
    advance: async (ms) => {
      const end = nowMs + ms
      for (;;) {
        const next = sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        sleepers = sleepers.filter((other) => other !== next)
        nowMs = Math.max(nowMs, next.at)
        next.wake()
        await settle()
      }
      nowMs = end
      await settle()
    },
    jump: async (ms) => {
      nowMs += ms
      const due = sleepers.filter(({ at }) => at <= nowMs).sort((a, b) => a.at - b.at)
      sleepers = sleepers.filter((sleeper) => !due.includes(sleeper))
      for (const { wake } of due) {
        wake()
        await settle()
      }
    },
  }
}

const settleMicrotasks = () => new Promise<void>((resolve) => setImmediate(resolve))
