import type { Clock } from '../../../src/base/clock'

/** A clock that goes from one event to the next, so that an hour of calls takes a second. */
export interface EventClock extends Clock {
  /** Runs what is due until `untilMs`, in order of time. */
  run(untilMs: number): Promise<void>
}

interface Event {
  readonly atMs: number
  readonly n: number
  readonly work: () => void
}

export function eventClock(): EventClock {
  let nowMs = 0
  let n = 0
  const heap = new EventHeap()
  const after = (ms: number, work: () => void) => {
    const event = { atMs: nowMs + ms, n: n++, work }
    heap.push(event)
    return () => heap.cancel(event)
  }
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after,
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    run: async (untilMs) => {
      for (let event = heap.pop(untilMs); event; event = heap.pop(untilMs)) {
        nowMs = Math.max(nowMs, event.atMs)
        event.work()
        // What the event fulfilled goes on before the next event: a promise's chain here is a few steps long.
        for (let step = 0; step < 6; step++) await Promise.resolve()
      }
      nowMs = untilMs
    },
  }
}

class EventHeap {
  readonly #items: Event[] = []
  readonly #cancelled = new Set<Event>()

  push(event: Event): void {
    let at = this.#items.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
  }

  cancel(event: Event): void {
    this.#cancelled.add(event)
  }

  pop(untilMs: number): Event | undefined {
    for (;;) {
      const [top] = this.#items
      if (!top || top.atMs > untilMs) return undefined
      this.#removeTop()
      if (!this.#cancelled.delete(top)) return top
    }
  }

  #removeTop(): void {
    const last = this.#items.pop()
    if (!last || this.#items.length === 0) return
    this.#items[0] = last
    let at = 0
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      if (left < this.#items.length && this.#isBefore(left, least)) least = left
      if (right < this.#items.length && this.#isBefore(right, least)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#items[a], this.#items[b]]
    return x !== undefined && y !== undefined && (x.atMs < y.atMs || (x.atMs === y.atMs && x.n < y.n))
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#items[a], this.#items[b]]
    if (x && y) [this.#items[a], this.#items[b]] = [y, x]
  }
}
