import { PII_LINES_LISTED_MAX } from '../dataset-bounds'
import { findPii, piiKinds, type PiiKind } from './find-pii'

/** Never holds what was found. */
export interface PiiReport {
  /** Lines with at least one. */
  readonly lines: number
  /** Of the kinds that were found. */
  readonly kinds: Readonly<Partial<Record<PiiKind, PiiOfKind>>>
}

export interface PiiOfKind {
  readonly count: number
  readonly lines: number
  /** The numbers of the first 100 of them. */
  readonly firstLines: readonly number[]
}

/** Counts identifying data in the texts of a dataset. */
export class PiiTally {
  readonly #kinds = new Map<PiiKind, { count: number; lines: number; firstLines: number[]; lastLine: number }>()
  #lines = 0

  add(texts: readonly string[], line: number): void {
    let any = false
    for (const text of texts)
      for (const { kind } of findPii(text)) {
        any = true
        this.#count(kind, line)
      }
    if (any) this.#lines += 1
  }

  #count(kind: PiiKind, line: number): void {
    let tally = this.#kinds.get(kind)
    if (!tally) this.#kinds.set(kind, (tally = { count: 0, lines: 0, firstLines: [], lastLine: 0 }))
    tally.count += 1
    if (tally.lastLine === line) return
    tally.lastLine = line
    tally.lines += 1
    if (tally.firstLines.length < PII_LINES_LISTED_MAX) tally.firstLines.push(line)
  }

  report(): PiiReport {
    const kinds: Partial<Record<PiiKind, PiiOfKind>> = {}
    for (const kind of piiKinds) {
      const tally = this.#kinds.get(kind)
      if (tally) kinds[kind] = { count: tally.count, lines: tally.lines, firstLines: tally.firstLines }
    }
    return { lines: this.#lines, kinds }
  }
}
