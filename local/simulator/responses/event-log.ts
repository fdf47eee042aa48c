/** The events of one response in the order of their numbers, and those who wait for more. */
export class EventLog {
  readonly #events: string[] = []
  readonly #waiting: (() => void)[] = []
  #over = false

  append(events: readonly string[]): void {
    this.#events.push(...events)
    this.#wake()
  }

  /** Nothing more will come. */
  end(): void {
    this.#over = true
    this.#wake()
  }

  get length(): number {
    return this.#events.length
  }

  get over(): boolean {
    return this.#over
  }

  from(index: number, eventsMax: number): readonly string[] {
    return this.#events.slice(index, index + eventsMax)
  }

  /** Called once when there is more, or nothing will come any more. */
  onceMore(run: () => void): void {
    this.#waiting.push(run)
  }

  #wake(): void {
    for (const run of this.#waiting.splice(0)) run()
  }
}
