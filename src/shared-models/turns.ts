import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock'

/** Calls that the same process serves wait no longer than this for work that takes its time. */
const TURN_MS_MAX = 8

/** Lets others have their turn whenever that is due: to be awaited between pieces of work that are short each. */
export function createTurns({ monotonicMs }: Pick<Clock, 'monotonicMs'>): () => Promise<void> | undefined {
  let since = monotonicMs()
  return () => {
    if (monotonicMs() - since < TURN_MS_MAX) return undefined
    return nextTurn().then(() => {
      since = monotonicMs()
    })
  }
}
