import type { Clock } from '../base/clock'
import type { Purge } from './purge'

/** A queue as far as its dead letters go. */
export interface DeadLetters {
  /** Up to `limit` of them, hidden from others for `hiddenMs`; none where the queue does not exist. */
  take(limit: number, hiddenMs: number): Promise<readonly DeadLetter[]>
  /** Up to `limit` of them, which stay where they are. */
  peek(limit: number): Promise<readonly Pick<DeadLetter, 'insertedAt'>[]>
}

export interface DeadLetter {
  /** Unix milliseconds. */
  readonly insertedAt: number
  remove(): Promise<void>
}

/** The most that a queue hands over at a time (Azure Storage Queue, "Get Messages"). */
const PAGE_LETTERS = 32
/** Long enough that one piece sees each letter once, short enough that an operator who looks sees them again soon. */
const HIDDEN_MS = 300_000

/**
 * Messages that the Functions host gave up on and put in `{queue}-poison`, where nothing reads them and nothing else removes them: they
 * are kept for whoever wants to know why. A dry run looks at the first letters of each queue alone.
 */
export function purgeDeadLetters({
  queues,
  keptMs,
  clock,
}: {
  queues: readonly DeadLetters[]
  keptMs: number
  clock: Clock
}): Purge {
  return {
    id: 'dead-letters',
    run: async ({ dry, countMax, isOver }) => {
      const before = clock.now() - keptMs
      const isOld = ({ insertedAt }: Pick<DeadLetter, 'insertedAt'>) => insertedAt < before
      let count = 0
      for (const queue of queues) {
        if (dry) {
          count += (await queue.peek(PAGE_LETTERS)).filter(isOld).length
          continue
        }
        for (;;) {
          const letters = await queue.take(PAGE_LETTERS, HIDDEN_MS)
          for (const letter of letters.filter(isOld)) {
            await letter.remove()
            count++
          }
          if (letters.length < PAGE_LETTERS) break
          // The queues are short: a round begins with the first one again.
          if (count >= countMax || isOver()) return { count, position: undefined }
        }
      }
      return { count, position: undefined }
    },
  }
}
