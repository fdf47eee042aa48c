/**
 * Rows of numbers, each known by its number from 0, on pages that the garbage collector neither follows nor copies. It grows by a page,
 * without a copy of what is there, and keeps its pages when it is cleared, for what comes next.
 *
 * Objects that live as long as the reading of a blob are old when they die, and V8 lets several times of what is alive lie dead before
 * it looks for old ones: as maps and objects, what a blob's calls and groups are was most of the roll-up's memory.
 */
export class NumberTable {
  readonly #columns: number
  readonly #newPage: (numbers: number) => Page
  readonly #pages: Page[] = []
  #rows = 0

  constructor(columns: number, newPage: (numbers: number) => Page) {
    this.#columns = columns
    this.#newPage = newPage
  }

  get rows(): number {
    return this.#rows
  }

  /** The number of a new row, which may hold anything. */
  addRow(): number {
    if (this.#rows === this.#pages.length * ROWS_PER_PAGE)
      this.#pages.push(this.#newPage(ROWS_PER_PAGE * this.#columns))
    return this.#rows++
  }

  get(row: number, column: number): number {
    return this.#pages[row >>> ROW_BITS]?.[(row & ROW_MASK) * this.#columns + column] ?? 0
  }

  set(row: number, column: number, value: number): void {
    const page = this.#pages[row >>> ROW_BITS]
    if (page) page[(row & ROW_MASK) * this.#columns + column] = value
  }

  clear(): void {
    this.#rows = 0
  }
}

type Page = Int32Array | Float64Array

const ROW_BITS = 10
const ROWS_PER_PAGE = 2 ** ROW_BITS
const ROW_MASK = ROWS_PER_PAGE - 1
