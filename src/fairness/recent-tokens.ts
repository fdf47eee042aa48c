const CELL_MS = 1_000
const CELLS = 60

/** Tokens of the last minute, by the second: what a capacity is first guessed from. Memory is one array, whatever the traffic. */
export class RecentTokens {
  readonly #cells = new Float64Array(CELLS)
  readonly #sinceMs: number
  #newest: number

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
    this.#newest = Math.floor(nowMs / CELL_MS)
  }

  /** Negative tokens take back what did not go out after all. */
  add(tokens: number, nowMs: number): void {
    this.#turn(nowMs)
    const at = this.#newest % CELLS
    this.#cells[at] = (this.#cells[at] ?? 0) + tokens
  }

  /** Tokens a millisecond over the last `seconds` (at most 60), or since the beginning where that is less. */
  rate(seconds: number, nowMs: number, restMs = 0): number {
    this.#turn(nowMs)
    let sum = 0
    for (let back = 0; back < Math.min(seconds, CELLS); back++) {
      sum += this.#cells[(this.#newest - back + CELLS) % CELLS] ?? 0
    }
    const spanMs = Math.max(CELL_MS, Math.min(seconds * CELL_MS, nowMs - this.#sinceMs))
    return Math.max(0, sum) / (spanMs + restMs)
  }

  #turn(nowMs: number): void {
    const cell = Math.floor(nowMs / CELL_MS)
    const empty = Math.min(CELLS, cell - this.#newest)
    for (let ahead = 1; ahead <= empty; ahead++) this.#cells[(this.#newest + ahead) % CELLS] = 0
    if (cell > this.#newest) this.#newest = cell
  }
}
