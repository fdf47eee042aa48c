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

/**
 * The timeouts of one call, by one timer that is set anew with each phase. While the answer comes it is not: a piece only
 * notes its time, and when the timer fires it looks how long ago that was.
 */
export class CallWatch {
  readonly #clock: Clock
  readonly #timeouts: CallTimeouts
  readonly #fail: (passed: PassedTimeout) => void
  readonly #isPaused: () => boolean
  readonly #endsMs: number
  #phase: 'connect' | 'first-byte' | 'answer' | 'over' = 'connect'
  #lastPieceMs = 0
  #stop: (() => void) | undefined

  constructor(
    deps: { clock: Clock; fail: (passed: PassedTimeout) => void; isPaused: () => boolean },
    timeouts: CallTimeouts,
  ) {
    this.#clock = deps.clock
    this.#fail = deps.fail
    this.#isPaused = deps.isPaused
    this.#timeouts = timeouts
    this.#endsMs = deps.clock.monotonicMs() + timeouts.totalMs
  }

  get isSent(): boolean {
    return this.#phase !== 'connect'
  }

  /** Nothing was sent yet: a connection is waited for. */
  waits(): void {
    if (this.#phase === 'connect') this.#arm(this.#timeouts.connectMs)
  }

  sent(): void {
    if (this.#phase !== 'connect') return
    this.#phase = 'first-byte'
    this.#arm(this.#timeouts.firstByteMs)
  }

  piece(): void {
    this.#lastPieceMs = this.#clock.monotonicMs()
    if (this.#phase !== 'first-byte') return
    this.#phase = 'answer'
    this.#arm(this.#timeouts.idleMs)
  }

  over(): void {
    this.#phase = 'over'
    this.#stop?.()
  }

  #arm(forMs: number): void {
    this.#stop?.()
    const nowMs = this.#clock.monotonicMs()
    const leftMs = this.#endsMs - nowMs
    // Whole milliseconds, so that the timers of many calls share their lists.
    this.#stop = this.#clock.after(Math.max(0, Math.ceil(Math.min(forMs, leftMs))), () => this.#fired())
  }

  #fired(): void {
    if (this.#phase === 'over') return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs >= this.#endsMs) return this.#fail('total')
    if (this.#phase !== 'answer') return this.#fail(this.#phase)
    if (this.#isPaused()) return this.#arm(this.#timeouts.idleMs)
    const silentMs = nowMs - this.#lastPieceMs
    if (silentMs < this.#timeouts.idleMs) return this.#arm(this.#timeouts.idleMs - silentMs)
    this.#fail('idle')
  }
}
