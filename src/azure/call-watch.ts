import type { Clock } from '../base/clock'

/** How long each phase of a call may take; milliseconds. */
export interface CallTimeouts {
  /** Until a connection is there: a free one, or a new one. */
  readonly connectMs: number
  /** From there to the first piece of the answer's body. */
  readonly firstByteMs: number
  /** Between two pieces. Time in which the reader does not take them is not counted. */
  readonly idleMs: number
  /** From the beginning to the last piece. */
  readonly totalMs: number
}

/** Which of a call's timeouts has passed. */
export type PassedTimeout = 'connect' | 'first-byte' | 'idle' | 'total'

export interface WatchedCall {
  /** Whether the reader takes no pieces at present. */
  readonly isPaused: boolean
  timedOut(passed: PassedTimeout): void
}

/**
 * The timeouts of one call, by one timer. A phase and a piece only note by when the next must be there: mostly that is later than
 * the timer fires, which then looks and is set anew. So a call that ends in time costs one timer, whatever its phases.
 */
export class CallWatch {
  readonly #clock: Clock
  readonly #timeouts: CallTimeouts
  readonly #call: WatchedCall
  readonly #endsMs: number
  #phase: 'connect' | 'first-byte' | 'answer' | 'over' = 'connect'
  /** By when the phase must be over, or its next piece be there. */
  #dueMs = 0
  #firesMs = Infinity
  #stop: (() => void) | undefined

  constructor(clock: Clock, call: WatchedCall, timeouts: CallTimeouts) {
    this.#clock = clock
    this.#call = call
    this.#timeouts = timeouts
    this.#endsMs = clock.monotonicMs() + timeouts.totalMs
  }

  get isSent(): boolean {
    return this.#phase !== 'connect'
  }

  /** Nothing was sent yet: a connection is waited for. */
  waits(): void {
    if (this.#phase === 'connect') this.#expect(this.#timeouts.connectMs)
  }

  sent(): void {
    if (this.#phase !== 'connect') return
    this.#phase = 'first-byte'
    this.#expect(this.#timeouts.firstByteMs)
  }

  piece(): void {
    if (this.#phase === 'over') return
    this.#phase = 'answer'
    this.#expect(this.#timeouts.idleMs)
  }

  over(): void {
    this.#phase = 'over'
    this.#stop?.()
  }

  #expect(withinMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    this.#dueMs = Math.min(nowMs + withinMs, this.#endsMs)
    if (this.#dueMs < this.#firesMs) this.#set(nowMs)
  }

  #set(nowMs: number): void {
    this.#stop?.()
    this.#firesMs = this.#dueMs
    // Whole milliseconds, so that the timers of many calls share their lists.
    this.#stop = this.#clock.after(Math.max(0, Math.ceil(this.#dueMs - nowMs)), () => this.#fired())
  }

  #fired(): void {
    if (this.#phase === 'over') return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs < this.#dueMs) return this.#set(nowMs)
    if (nowMs >= this.#endsMs) return this.#call.timedOut('total')
    if (this.#phase !== 'answer') return this.#call.timedOut(this.#phase)
    if (!this.#call.isPaused) return this.#call.timedOut('idle')
    this.#firesMs = Infinity
    this.#expect(this.#timeouts.idleMs)
  }
}
