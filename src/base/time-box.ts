import type { Clock } from './clock'

/** A run's time: what goes through many things takes them through it, and stops in front of the first for which there is none left. */
export class TimeBox {
  readonly #clock: Clock
  readonly #endsAtMs: number
  #hasCutOff = false

  /** `ms` from now. */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#endsAtMs = clock.monotonicMs() + ms
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#endsAtMs
  }

  /** Whether anything was left for another run. */
  get hasCutOff(): boolean {
    return this.#hasCutOff
  }

  /** The items until the time is over, read as they are asked for; then nothing more is read of them. */
  async *within<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, void> {
    for await (const item of items) {
      if (this.isOver) {
        this.#hasCutOff = true
        return
      }
      yield item
    }
  }
}
