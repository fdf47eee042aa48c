import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import { GroupQueue } from './group-queue'
import { defaultBounds, type QueueBounds } from './queue-bounds'
import type { TurnRequest, TurnResult } from './turn'

/** Who goes next to backends that cannot serve everybody at once (product 4.4, I15). One for each instance of the app. */
export interface FairQueue {
  /**
   * A turn at once while nothing says that the backends are at capacity; else a promise that is kept within
   * `WAIT_MS_MAX`, with a turn or a refusal. A turn must be released, on every exit.
   */
  take(request: TurnRequest): TurnResult | Promise<TurnResult>
  /** Who waits is told that the instance stops, and nobody waits any more. */
  close(): void
  /** Calls that wait, at all backends. */
  readonly waiting: number
  /** Calls that have a turn and hold it. */
  readonly underWay: number
  /** Sets of backends known, at most `QUEUES_MAX` and those with calls. */
  readonly sets: number
}

/** Sets of backends known at one time; about 1 KB each. */
export const QUEUES_MAX = 2_000
/** Looked at to find one that can be forgotten. */
const QUEUES_TRIED_MAX = 32

export function createFairQueue({ clock, bounds = {} }: { clock: Clock; bounds?: Partial<QueueBounds> }): FairQueue {
  const queues = new Map<string, GroupQueue>()
  const allBounds = { ...defaultBounds, ...bounds }
  let isClosed = false

  const queueOf = (backendIds: readonly BackendId[]): GroupQueue => {
    const key = keyOf(backendIds)
    const known = queues.get(key)
    if (known) return known
    if (queues.size >= QUEUES_MAX) forgetOne(queues)
    const queue = new GroupQueue({ clock, bounds: allBounds, backendIds })
    if (isClosed) queue.close()
    queues.set(key, queue)
    return queue
  }

  return {
    take: (request) => queueOf(request.backendIds).take(request),
    close: () => {
      isClosed = true
      for (const queue of queues.values()) queue.close()
    },
    get waiting() {
      let sum = 0
      for (const queue of queues.values()) sum += queue.waiting
      return sum
    },
    get sets() {
      return queues.size
    },
    get underWay() {
      let sum = 0
      for (const queue of queues.values()) sum += queue.underWay
      return sum
    },
  }
}

function keyOf(backendIds: readonly BackendId[]): string {
  const [only] = backendIds
  return only !== undefined && backendIds.length === 1 ? only : [...backendIds].sort().join(' ')
}

/**
 * Drops the oldest idle queue that has learned nothing, or else one that has. Queues with calls are taken for younger: there are no
 * more of those than calls under way, which have bounds of their own.
 */
function forgetOne(queues: Map<string, GroupQueue>): void {
  let learned: string | undefined
  let tried = 0
  for (const [key, queue] of queues) {
    if (queue.idle && !queue.hasLearned) return void queues.delete(key)
    if (queue.idle) learned ??= key
    else {
      queues.delete(key)
      queues.set(key, queue)
    }
    if (++tried >= QUEUES_TRIED_MAX) break
  }
  if (learned !== undefined) queues.delete(learned)
}
