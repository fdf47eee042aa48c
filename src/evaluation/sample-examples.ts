import { createHash } from 'node:crypto'
import { readHeldOutExample, type HeldOutExample } from './held-out-example'

/** Examples that one evaluation asks of each model. */
export const EXAMPLES_MAX = 500
/** Where nobody says how many: means are then known to about a tenth, and a training is still the dearer part. */
export const EXAMPLES_USUAL = 100
/** Of one example; with `EXAMPLES_MAX` it bounds what is held in memory to 32 MB. */
export const EXAMPLE_BYTES_MAX = 64 * 1024

export interface Sample {
  /** In the order of their lines. */
  readonly examples: readonly SampledExample[]
  /** Lines that could be asked, of which these are a sample. */
  readonly eligible: number
  /** Lines with nothing to compare, or above `EXAMPLE_BYTES_MAX`. */
  readonly passedOver: number
}

export interface SampledExample extends HeldOutExample {
  /** From 1. */
  readonly line: number
}

interface Ranked {
  readonly rank: string
  readonly example: SampledExample
}

/**
 * The same lines for the same file, seed and size, in one pass: each line is ranked by a hash of the seed and its number, and those of
 * the lowest ranks are kept (bottom-k sampling; Cohen and Kaplan, "Summarizing data using bottom-k sketches", 2007). The tuned
 * model and its base are so asked the same, today and in a year.
 */
export class ExampleSampler {
  readonly #seed: number
  readonly #size: number
  /** Of the lowest ranks, the lowest first. */
  readonly #kept: Ranked[] = []
  #eligible = 0
  #passedOver = 0

  constructor({ seed, size }: { seed: number; size: number }) {
    this.#seed = seed
    this.#size = Math.min(size, EXAMPLES_MAX)
  }

  add(number: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const example = bytes.length > EXAMPLE_BYTES_MAX ? undefined : readHeldOutExample(Buffer.from(bytes).toString())
    if (!example) {
      this.#passedOver += 1
      return
    }
    this.#eligible += 1
    const rank = createHash('sha256').update(`${this.#seed}/${number}`).digest('hex')
    const highest = this.#kept.at(-1)
    if (this.#kept.length >= this.#size && highest && highest.rank <= rank) return
    this.#kept.splice(this.#placeOf(rank), 0, { rank, example: { ...example, line: number } })
    if (this.#kept.length > this.#size) this.#kept.pop()
  }

  sample(): Sample {
    const examples = this.#kept.map(({ example }) => example).toSorted((a, b) => a.line - b.line)
    return { examples, eligible: this.#eligible, passedOver: this.#passedOver }
  }

  #placeOf(rank: string): number {
    let low = 0
    let high = this.#kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#kept[middle]?.rank ?? '') < rank) low = middle + 1
      else high = middle
    }
    return low
  }
}
