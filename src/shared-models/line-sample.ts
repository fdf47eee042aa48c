import { hash } from 'node:crypto'

/**
 * Where a line stands in the order of chance, 0 to 2³² − 1: by the build and what it says, so that whoever repeats a step chooses the
 * same lines.
 */
export const rankOf = (seed: string, line: string): number =>
  Number.parseInt(hash('sha256', `${seed}\n${line}`, 'hex').slice(0, 8), 16)

interface Ranked {
  readonly rank: number
  readonly line: string
  readonly bytes: number
}

/** How much more than it may keep it holds until it sorts out. */
const SLACK = 1.25

/**
 * As many lines as fit `bytesMax`, those of the lowest ranks: a sample in which each line is as likely as any other, whatever their
 * order. Holds little more than that in memory. Equal lines count once.
 */
export class LineSample {
  readonly #seed: string
  readonly #bytesMax: number
  #lines = new Map<string, Ranked>()
  #bytes = 0
  #dropped = 0

  constructor(seed: string, bytesMax: number) {
    this.#seed = seed
    this.#bytesMax = bytesMax
  }

  /** False for a line that is there already. */
  add(line: string): boolean {
    if (this.#lines.has(line)) return false
    const bytes = Buffer.byteLength(line) + 1
    this.#lines.set(line, { rank: rankOf(this.#seed, line), line, bytes })
    this.#bytes += bytes
    if (this.#bytes > this.#bytesMax * SLACK) this.#sortOut()
    return true
  }

  /** In the order of their ranks. */
  end(): { readonly lines: readonly string[]; readonly dropped: number } {
    this.#sortOut()
    return { lines: [...this.#lines.keys()], dropped: this.#dropped }
  }

  #sortOut(): void {
    const sorted = [...this.#lines.values()].sort((a, b) => a.rank - b.rank || (a.line < b.line ? -1 : 1))
    let bytes = 0
    let kept = 0
    for (const each of sorted) {
      if (bytes + each.bytes > this.#bytesMax) break
      bytes += each.bytes
      kept += 1
    }
    this.#dropped += sorted.length - kept
    this.#lines = new Map(sorted.slice(0, kept).map((each) => [each.line, each]))
    this.#bytes = bytes
  }
}
