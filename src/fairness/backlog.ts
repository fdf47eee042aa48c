import type { Flow } from './flow'
import type { WaitingTurn } from './waiting-turn'

/** The calls that wait, in a line for each tenant. At most `WAITING_MAX` lines, so whose turn it is is found by looking at each. */
export class Backlog {
  readonly #flows = new Set<Flow>()
  #weight = 0
  #calls = 0
  #tokens = 0

  get calls(): number {
    return this.#calls
  }

  /** True if the flow had no line before. */
  join(turn: WaitingTurn): boolean {
    const { flow, cost } = turn
    const isNew = flow.line.length === 0
    if (isNew) {
      this.#flows.add(flow)
      this.#weight += flow.weight
    }
    flow.join(turn)
    this.#calls += 1
    this.#tokens += cost
    return isNew
  }

  leave(turn: WaitingTurn): void {
    const { flow, cost } = turn
    flow.leave(turn)
    this.#calls -= 1
    this.#tokens -= cost
    if (flow.line.length === 0) {
      this.#flows.delete(flow)
      this.#weight -= flow.weight
    }
    if (this.#calls > 0) return
    // Sums of fractions drift; with nobody waiting they are known exactly.
    this.#tokens = 0
    this.#weight = 0
  }

  reweigh(flow: Flow, weight: number): void {
    const before = flow.weight
    flow.setWeight(weight)
    if (flow.line.length > 0) this.#weight += flow.weight - before
  }

  /**
   * The first call of the flow that is furthest behind, of those that do not rest; among equals, who came first. Undefined when
   * nobody waits or all rest.
   */
  next(nowMs: number): WaitingTurn | undefined {
    let best: WaitingTurn | undefined
    for (const flow of this.#flows) {
      const [head] = flow.line
      if (!head || flow.restUntilMs > nowMs) continue
      const ahead = best ? flow.finish - best.flow.finish : -1
      if (ahead < 0 || (ahead === 0 && best && head.arrival < best.arrival)) best = head
    }
    return best
  }

  /** When the first flow that waits does not rest (any more); never where nobody waits. */
  restUntilMs(): number {
    let firstMs = Infinity
    for (const { restUntilMs } of this.#flows) firstMs = Math.min(firstMs, restUntilMs)
    return firstMs
  }

  /** Who came last in the longest line, by tokens ÷ weight; undefined where no line is longer than the given flow's. */
  lastOfLongest(than: Flow): WaitingTurn | undefined {
    let longest = than
    for (const flow of this.#flows) if (lengthOf(flow) > lengthOf(longest)) longest = flow
    return longest === than ? undefined : longest.line.at(-1)
  }

  /** Who will have been given up by then. */
  withDeadlineBefore(timeMs: number): WaitingTurn[] {
    return [...this.#flows].flatMap((flow) => flow.withDeadlineBefore(timeMs))
  }

  /**
   * Until all would have gone that stands before a call of the flow that came now: what the flow itself has in the line, at its share
   * of the rate, or all that waits at the whole rate, whichever is less. `rate`: tokens a millisecond.
   */
  waitMs(flow: Flow, rate: number): number {
    const weights = this.#weight + (flow.line.length === 0 ? flow.weight : 0)
    return Math.min((flow.waitingTokens * weights) / flow.weight, this.#tokens) / rate
  }
}

const lengthOf = ({ waitingTokens, weight }: Flow) => waitingTokens / weight
