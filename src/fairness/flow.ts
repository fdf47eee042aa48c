import type { WaitingTurn } from './waiting-turn'

/** How fast the share of used tokens follows: about the last ten calls. */
const RATIO_GAIN = 0.1
/** An alias's cap can be a hundred times of what is really generated, never more than this. */
const RATIO_MIN = 0.001
const WEIGHT_MIN = 0.001

/** One tenant at one set of backends: its line, in order of arrival, and how much of its share it has had. */
export class Flow {
  /** Virtual time at which what went out so far is within the share. */
  finish = 0
  weight = 1
  /** Tokens really used, of those estimated. */
  ratio: number
  underWay = 0
  /** Until then the backends rest for this tenant; in the past when they do not. */
  restUntilMs = -Infinity
  waitingTokens = 0
  readonly line: WaitingTurn[] = []

  constructor(ratio: number) {
    this.ratio = ratio
  }

  setWeight(weight: number): void {
    this.weight = Math.max(weight, WEIGHT_MIN)
  }

  /** In its place by arrival, which only a call that was refused by the backends does not have at the end. */
  join(turn: WaitingTurn): void {
    let at = this.line.length
    while (at > 0 && (this.line[at - 1]?.arrival ?? 0) > turn.arrival) at -= 1
    this.line.splice(at, 0, turn)
    this.waitingTokens += turn.cost
  }

  leave(turn: WaitingTurn): void {
    const at = this.line.indexOf(turn)
    if (at < 0) return
    this.line.splice(at, 1)
    this.waitingTokens = this.line.length === 0 ? 0 : this.waitingTokens - turn.cost
  }

  withDeadlineBefore(timeMs: number): WaitingTurn[] {
    return this.line.filter(({ deadlineMs }) => deadlineMs < timeMs)
  }

  charge(tokens: number): void {
    this.finish += tokens / this.weight
  }

  learn(usedTokens: number, estimatedTokens: number): void {
    this.ratio = learned(this.ratio, usedTokens, estimatedTokens)
  }

  get idle(): boolean {
    return this.underWay === 0 && this.line.length === 0
  }
}

export function learned(ratio: number, usedTokens: number, estimatedTokens: number): number {
  return Math.max(RATIO_MIN, ratio + RATIO_GAIN * (usedTokens / estimatedTokens - ratio))
}
