/**
 * A clock that can run faster than this machine's, be stopped, and be moved on. What takes the service hours waits for it
 * and not for the wheel, so that a change of its speed takes hold in the middle of a wait.
 */
export class ServiceClock {
  readonly #realNow: () => number
  #speed: number
  #ms: number
  #asOfMs: number

  /** Begins at `startMs`. `speed` is how many of its seconds pass in a second; zero stops it. */
  constructor(speed: number, startMs = 0, realNow: () => number = () => performance.now()) {
    this.#realNow = realNow
    this.#speed = speed
    this.#ms = startMs
    this.#asOfMs = realNow()
  }

  get speed(): number {
    return this.#speed
  }

  set speed(speed: number) {
    this.#catchUp()
    this.#speed = speed
  }

  /** In milliseconds of its own. */
  now(): number {
    this.#catchUp()
    return this.#ms
  }

  /** Jumps on by so many of its own milliseconds. */
  advance(ms: number): void {
    this.#catchUp()
    this.#ms += ms
  }

  /** Puts it at a time of its own. */
  set(ms: number): void {
    this.#catchUp()
    this.#ms = ms
  }

  /** How long a wait takes on this machine; infinite where it stands. */
  realMs(ms: number): number {
    return this.#speed === 0 ? Number.POSITIVE_INFINITY : ms / this.#speed
  }

  #catchUp(): void {
    const now = this.#realNow()
    this.#ms += (now - this.#asOfMs) * this.#speed
    this.#asOfMs = now
  }
}
