import { createFairQueue } from '../../src/fairness/fair-queue'
import type { QueueBounds } from '../../src/fairness/queue-bounds'
import type { Turn, TurnRefused, TurnRequest, TurnResult } from '../../src/fairness/turn'
import { handClock } from '../harness/hand-clock'

/** A queue on a clock that is moved by hand, whose one backend can be made to refuse. */
export function street(bounds: Partial<QueueBounds> = {}) {
  const clock = handClock()
  const queue = createFairQueue({ clock, bounds })
  const ask = (more: Partial<TurnRequest> = {}): TurnRequest => ({
    backendIds: ['bke_one'],
    tenantId: 'ten_a',
    weight: 1,
    tokens: 100,
    priority: 'high',
    ...more,
  })
  const take = (more: Partial<TurnRequest> = {}) => queue.take(ask(more))
  /** A call that must go at once. */
  const go = (more: Partial<TurnRequest> = {}) => turnOf(take(more))
  return { clock, queue, take, go }
}

export function turnOf(result: TurnResult | Promise<TurnResult>): Turn {
  if (result instanceof Promise || result.kind !== 'turn') throw new Error('the call did not get its turn at once')
  return result
}

export function refusalOf(result: TurnResult | Promise<TurnResult>): TurnRefused {
  if (result instanceof Promise || result.kind !== 'refused') throw new Error('the call was not refused at once')
  return result
}

/** The names of those who got their turn, in the order in which they did. */
export function inOrder() {
  const order: string[] = []
  const turns: Turn[] = []
  const refusals: TurnRefused[] = []
  const watch = (name: string, result: TurnResult | Promise<TurnResult>) => {
    void Promise.resolve(result).then((result) => {
      if (result.kind === 'refused') return void refusals.push(result)
      order.push(name)
      turns.push(result)
    })
  }
  return { order, turns, refusals, watch }
}
