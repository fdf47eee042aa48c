/** Bins of the logarithm of how many times its typical load a tenant uses: from once, or less, to thirty times. */
const BINS = 34
const BIN_LN = 0.1

/**
 * How many times what is typical of them the tenants of a backend use, in the middle: 1 when each does as usual, 2 when all are
 * twice as busy. Weighted by what is typical of each, so that neither the largest surge nor a crowd of idle tenants moves it, and
 * counted in bins, so that it takes as much room for ten tenants as for ten thousand.
 */
export class Rush {
  readonly #typical = new Float64Array(BINS)
  #total = 0

  add(use: Use): void {
    const bin = binOf(use)
    this.#typical[bin] = (this.#typical[bin] ?? 0) + use.typical
    this.#total += use.typical
  }

  /** Of all but one, which has been added. 1 or more, to a tenth. */
  without(use: Use): number {
    const own = binOf(use)
    const middle = (this.#total - use.typical) / 2
    let sum = 0
    for (const [bin, typical] of this.#typical.entries()) {
      sum += typical - (bin === own ? use.typical : 0)
      if (sum >= middle) return Math.exp(bin * BIN_LN)
    }
    return 1
  }
}

/** Tokens a minute. */
export interface Use {
  readonly load: number
  readonly typical: number
}

/** Loads of a few thousand tokens differ by single calls. */
const LOAD_FLOOR = 1_000

const binOf = ({ load, typical }: Use): number =>
  Math.min(BINS - 1, Math.max(0, Math.floor(Math.log((load + LOAD_FLOOR) / (typical + LOAD_FLOOR)) / BIN_LN)))
