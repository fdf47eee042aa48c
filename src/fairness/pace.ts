import { RecentTokens } from './recent-tokens'

/** What is gone this long without a sign of saturation, and without a call that had to wait, is forgotten. */
export const CALM_MS = 60_000
/** Rests shorter than this would only ask the backend again for the same refusal. */
export const REST_MS_MIN = 20
/** Longer waits mean one call (one that is larger than a whole quota is told a day), not all of them. */
export const REST_MS_MAX = 60_000
/** A shorter time between two refusals measures chance, not capacity. */
const MEASURE_MS_MIN = 2_000
/** Below what was measured, so that the backend's own bucket gets room again. */
const BACK_OFF = 0.95
const BACK_OFF_UNMEASURED = 0.85
const GROWTH_SHARE = 0.05
const GROWTH_DOUBLINGS_MAX = 4
const GROWTH_MS_MIN = 5_000
/** After the first refusal the rate is a guess: it nearly doubles each second until the next one. */
const PROBE_MS = 1_000
/** A guess made after little traffic would be of the traffic, not of the capacity: so many calls a second pass in any case. */
const GUESSED_CALLS_MIN = 4
/** So that trying for more costs at most a tenth of the time in rests, however long a backend's rests are. */
const GROWTH_PER_REST = 10
/** Calls that come together go together, up to so much of the rate. */
const BURST_MS = 500
/** Tokens a millisecond: one small call in some seconds, from which growth finds back. */
const RATE_MIN = 0.01

interface Refusal {
  readonly waitMs: number
  readonly sentAtMs: number
  /** As they were spent. */
  readonly tokens: number
}

/**
 * How fast calls may go to a set of backends, learned from what the backends let pass.
 *
 * While nothing was refused there is no rate and no call waits. A refusal ends a cycle: what went out since the last one,
 * divided by the time until the backends say they are back, is what they sustain, whether their quota is a leaky bucket
 * (provisioned) or a window of a minute (pay-as-you-go). The rate goes a little below that; while calls wait it grows again,
 * faster the longer nothing is refused, and slower the longer the backends' rests are.
 *
 * Tokens are released by the generic cell rate algorithm (ITU-T I.371): one time, moved on by tokens ÷ rate.
 * All times are of a monotonic clock, in milliseconds.
 */
export class Pace {
  readonly #recent: RecentTokens
  #rate = Infinity
  /** What is left of the backends' quotas, spread until they are whole again. */
  #spread: { readonly rate: number; readonly untilMs: number } | undefined
  #restUntilMs = 0
  /** When what has gone out so far is paid for. */
  #paidAtMs = 0
  #lastSignMs = -Infinity
  #cycle = { sinceMs: 0, tokens: 0, measures: false }
  #reactedAtMs = -Infinity
  #growth = { sinceMs: 0, doublings: 0, everyMs: GROWTH_MS_MIN }

  constructor(nowMs: number) {
    this.#recent = new RecentTokens(nowMs)
  }

  /** Tokens a millisecond; Infinity while nothing is known that limits. */
  rate(nowMs: number): number {
    if (this.#spread && this.#spread.untilMs <= nowMs) {
      this.#paidAtMs = Math.min(this.#paidAtMs, this.#spread.untilMs)
      this.#spread = undefined
    }
    return Math.max(RATE_MIN, Math.min(this.#rate, this.#spread?.rate ?? Infinity))
  }

  /** Tokens a millisecond that lately went out. */
  recentRate(nowMs: number): number {
    return Math.max(RATE_MIN, this.#recent.rate(10, nowMs))
  }

  get restUntilMs(): number {
    return this.#restUntilMs
  }

  /** When the next call may go; in the past if it may go now. */
  nextAtMs(nowMs: number): number {
    if (this.rate(nowMs) === Infinity) return this.#restUntilMs
    const paidAtMs = Math.min(
      this.#paidAtMs - BURST_MS,
      this.#rate === Infinity ? (this.#spread?.untilMs ?? Infinity) : Infinity,
    )
    return Math.max(this.#restUntilMs, paidAtMs)
  }

  spend(tokens: number, nowMs: number): void {
    this.#recent.add(tokens, nowMs)
    this.#cycle.tokens += tokens
    const rate = this.rate(nowMs)
    if (rate !== Infinity) this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + tokens / rate
  }

  /** The call was refused: it took none of the capacity. */
  unspend(tokens: number, nowMs: number): void {
    this.#recent.add(-tokens, nowMs)
    this.#cycle.tokens -= tokens
    const rate = this.rate(nowMs)
    if (rate !== Infinity) this.#paidAtMs -= tokens / rate
  }

  /** The backends refused a call of `tokens` that was sent at `sentAtMs`, and ask for `waitMs`. */
  throttled({ waitMs, sentAtMs, tokens }: Refusal, nowMs: number): void {
    if (waitMs > REST_MS_MAX) return
    this.#lastSignMs = nowMs
    this.#restUntilMs = Math.max(this.#restUntilMs, nowMs + Math.max(waitMs, REST_MS_MIN))
    // Calls that were on their way when the rate was last changed are refused for the rate before it.
    if (sentAtMs <= this.#reactedAtMs) return
    const isGuess = this.#rate === Infinity
    this.#rate = isGuess ? this.#guessed({ waitMs, tokens }, nowMs) : this.#sustained(waitMs, nowMs)
    this.#reactedAtMs = nowMs
    this.#paidAtMs = this.#restUntilMs + BURST_MS
    this.#cycle = { sinceMs: this.#restUntilMs, tokens: 0, measures: true }
    this.#growth = isGuess
      ? { sinceMs: this.#restUntilMs, doublings: GROWTH_DOUBLINGS_MAX, everyMs: PROBE_MS }
      : { sinceMs: this.#restUntilMs, doublings: 0, everyMs: Math.max(GROWTH_MS_MIN, GROWTH_PER_REST * waitMs) }
  }

  /** The backends say that they are full, though they served a call of `tokens`: not faster than they lately did. */
  saturated(tokens: number, nowMs: number): void {
    this.#lastSignMs = nowMs
    this.#growth.sinceMs = nowMs
    if (this.#rate !== Infinity) return
    this.#rate = this.#guessed({ waitMs: 0, tokens }, nowMs)
    this.#paidAtMs = nowMs
    this.#cycle = { sinceMs: nowMs, tokens: 0, measures: true }
  }

  /**
   * The backends' quotas last until `untilMs` at this rate. Kept to when they are scarce, and for as long as calls had to wait lately: a
   * quota that is whole again would be used up at once by whoever sends most.
   */
  spread({ rate, untilMs, isScarce }: { rate: number; untilMs: number; isScarce: boolean }, nowMs: number): void {
    const isContended = nowMs - this.#lastSignMs <= CALM_MS
    if (this.rate(nowMs) === Infinity) this.#paidAtMs = nowMs
    this.#spread = isScarce || isContended ? { rate, untilMs } : undefined
  }

  /** A call has to wait and nobody else does: from here on it is the backends that bound what goes out. */
  lineFormed(nowMs: number): void {
    this.#cycle = { sinceMs: Math.max(nowMs, this.#restUntilMs), tokens: 0, measures: true }
  }

  /** Called again and again while calls wait. */
  lineStands(nowMs: number): void {
    this.#lastSignMs = Math.max(this.#lastSignMs, nowMs)
    const { sinceMs, doublings, everyMs } = this.#growth
    if (this.#rate === Infinity || nowMs - sinceMs < everyMs) return
    this.#rate *= 1 + GROWTH_SHARE * 2 ** doublings
    this.#growth = { sinceMs: nowMs, doublings: Math.min(doublings + 1, GROWTH_DOUBLINGS_MAX), everyMs }
  }

  /** Nobody waits any more: what goes out now is what is asked for, which measures nothing. */
  lineEmpty(): void {
    this.#cycle.measures = false
  }

  /** Called while nobody waits. */
  forgetWhenCalm(nowMs: number): void {
    if (nowMs - this.#lastSignMs > CALM_MS) this.#rate = Infinity
  }

  #sustained(waitMs: number, nowMs: number): number {
    const { sinceMs, tokens, measures } = this.#cycle
    const spanMs = nowMs + waitMs - sinceMs
    if (!measures || spanMs < MEASURE_MS_MIN) return Math.max(RATE_MIN, this.#rate * BACK_OFF_UNMEASURED)
    return Math.max(RATE_MIN, Math.min(this.#rate, tokens / spanMs) * BACK_OFF)
  }

  /** The better of a short and a long look back: a burst has used up a quota in one, a steady load in the other. */
  #guessed({ waitMs, tokens }: { waitMs: number; tokens: number }, nowMs: number): number {
    const lately = Math.max(this.#recent.rate(10, nowMs, waitMs), this.#recent.rate(60, nowMs, waitMs))
    return Math.max(lately, (tokens * GUESSED_CALLS_MIN) / 1_000)
  }
}
