import type { Clock } from './clock'

/**
 * Does the work on each as they come, `atOnce` at a time, and reads no further ahead than that; how many there were. The first failure is
 * thrown, and what is under way then ends by itself.
 */
export function eachOf<T>(
  items: AsyncIterable<T>,
  atOnce: number | (() => number),
  work: (item: T) => Promise<void>,
): Promise<number> {
  const coming = items[Symbol.asyncIterator]()
  const most = typeof atOnce === 'number' ? () => atOnce : atOnce
  let [count, workers] = [0, 0]
  return new Promise((resolve, reject) => {
    const hire = () => {
      for (; workers < most(); workers++)
        worker().then(() => {
          workers--
          if (workers === 0) resolve(count)
        }, reject)
    }
    const worker = async () => {
      for (let next = await coming.next(); next.done !== true; next = await coming.next()) {
        count++
        await work(next.value)
        hire()
      }
    }
    hire()
  })
}

/** For what a timer of each minute asks of every tenant. */
const WITHIN_A_MINUTE = { first: 2, most: 16, everyMs: 3_000 }

/**
 * For `eachOf`: few at once to begin with, so that calls hardly wait for the storage that both ask; one more every so often, so that what is
 * much gets done as well.
 */
export function moreAndMore(clock: Clock, { first, most, everyMs } = WITHIN_A_MINUTE): () => number {
  const startMs = clock.monotonicMs()
  return () => Math.min(most, first + Math.floor((clock.monotonicMs() - startMs) / everyMs))
}
