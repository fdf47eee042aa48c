import { crc32 } from 'node:zlib'
import { PAIRS_LISTED_MAX } from './dataset-bounds'
import { ExampleHasher, hashExact } from './example-hash'
import type { ExampleParts } from './example-parts'
import { ExampleSketch, type Estimate } from './example-sketch'

export interface DuplicateReport {
  /** Lines that are byte for byte an earlier one. */
  readonly exact: Estimate
  /** Lines that say the same as an earlier one; the exact ones are among them. */
  readonly normalized: Estimate
  /** The first of them. */
  readonly pairs: readonly DuplicatePair[]
}

export interface DuplicatePair {
  readonly line: number
  readonly firstLine: number
  readonly exact: boolean
}

/** Looks for examples that a file has more than once. */
export class Duplicates {
  readonly #hasher = new ExampleHasher()
  readonly #normalized = new ExampleSketch()
  readonly #exact = new ExampleSketch()
  readonly #pairs: DuplicatePair[] = []

  add(parts: ExampleParts, bytes: Buffer, line: number): void {
    const hash = this.#hasher.hash(parts)
    const repeat = this.#normalized.add(hash, line)
    const exact = this.#exact.add(hashExact(hash, crc32(bytes)), line)
    const firstLine = exact?.firstLine ?? repeat?.firstLine
    if (firstLine !== undefined && this.#pairs.length < PAIRS_LISTED_MAX)
      this.#pairs.push({ line, firstLine, exact: exact !== undefined })
  }

  /** What the file has, to be compared with another's. */
  get sketch(): ExampleSketch {
    return this.#normalized
  }

  report(): DuplicateReport {
    return { exact: this.#exact.repeats(), normalized: this.#normalized.repeats(), pairs: this.#pairs }
  }
}
