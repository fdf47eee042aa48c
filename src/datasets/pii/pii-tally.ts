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
  #lines = 0;

  /** Yields wherever others should have their turn. */
  *add(texts: readonly string[], line: number): Generator<void, void> {
    let any = false
    for (const text of texts)
      for (let start = 0; start < text.length;) {
        const end = endOfWindow(text, start)
        for (const { kind } of findPii(text.slice(start, end))) {
          any = true
          this.#count(kind, line)
        }
        start = end
        if (start < text.length) yield
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

/** Long texts are looked through in windows: what is found in one is compared with what else is found there. */
const WINDOW_CHARACTERS = 8_192
/** Longer than anything that is looked for. */
const SEARCHED_CHARACTERS = 256

/** Behind white space between what are no digits, so that nothing is cut in two. */
function endOfWindow(text: string, start: number): number {
  const far = start + WINDOW_CHARACTERS
  if (far >= text.length) return text.length
  for (let at = far; at > far - SEARCHED_CHARACTERS; at--)
    if (WHITE.test(text[at - 1] ?? '') && !DIGIT.test(`${text[at - 2]}${text[at]}`)) return at
  return far
}

const WHITE = /\s/
const DIGIT = /\d/
