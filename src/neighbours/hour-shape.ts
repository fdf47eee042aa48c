import { HOUR_MS } from '../metering/log-blob-name'

/** Parts of an hour. A job that begins a little earlier or later than it did is in the part before or after. */
const PART_MINUTES = 5
const PART_MS = PART_MINUTES * 60_000
const PARTS = HOUR_MS / PART_MS
/** Of each part so many hours are kept; of fewer than the second nothing is said. */
const HOURS_KEPT = 24
const HOURS_MIN = 6
/** Of the hours, those in which a part reached no more. */
const MOST_SHARE = 0.9
/** Chance alone makes the parts of an hour differ by this. */
const EVEN_MIN = 0.6
/** Shares are stored as whole hundredths. */
const STEPS = 100

/** Of what the hour is at its most, 0 to 1. */
export interface PartOfHour {
  /** What its minutes usually are. */
  readonly usual: number
  /** What it may reach; 1 where hours are even. */
  readonly most: number
}

/**
 * How a load divides within an hour. What runs every hour has its minutes there: in the others it excuses nothing. An hour without
 * such work is even, and says nothing more than the hour itself does.
 */
export class HourShape {
  /** By part: of the last hours, the middle one and the most of its minutes by turns, in hundredths of the hour's most. */
  readonly #parts: number[][]
  /** By part, as long as nothing is learned. */
  readonly #known = new Map<number, PartOfHour>()

  constructor(stored: StoredHourShape = []) {
    this.#parts = Array.from({ length: PARTS }, (_, part) => [...(stored[part] ?? [])])
  }

  /** An hour's loads by the minute, 0 or more. */
  learn(loads: ArrayLike<number>): void {
    const all = Array.from(loads)
    const most = Math.max(...all)
    if (!(most > 0)) return
    this.#known.clear()
    for (const [part, kept] of this.#parts.entries()) {
      const sorted = all.slice(part * PART_MINUTES, (part + 1) * PART_MINUTES).toSorted((a, b) => a - b)
      const middle = sorted[sorted.length >> 1] ?? 0
      kept.push(Math.round((STEPS * middle) / most), Math.round((STEPS * (sorted.at(-1) ?? 0)) / most))
      if (kept.length > 2 * HOURS_KEPT) kept.splice(0, 2)
    }
  }

  at(timeMs: number): PartOfHour {
    const part = Math.floor(timeMs / PART_MS) % PARTS
    const known = this.#known.get(part) ?? this.#of(part)
    this.#known.set(part, known)
    return known
  }

  #of(part: number): PartOfHour {
    const near = [part, (part + PARTS - 1) % PARTS, (part + 1) % PARTS]
    const [usual = 1] = near.slice(0, 1).map((at) => this.#shareOf(at, 0))
    const most = Math.max(...near.map((at) => this.#shareOf(at, 1)))
    return { usual, most: most >= EVEN_MIN ? 1 : most }
  }

  /** `which`: 0 for the middle ones, 1 for the most. */
  #shareOf(part: number, which: 0 | 1): number {
    const shares = (this.#parts[part] ?? []).filter((_, at) => at % 2 === which).toSorted((a, b) => a - b)
    if (shares.length < HOURS_MIN) return 1
    return (shares[Math.floor((which === 1 ? MOST_SHARE : 0.5) * (shares.length - 1))] ?? STEPS) / STEPS
  }

  encode(): StoredHourShape {
    return this.#parts
  }
}

export type StoredHourShape = readonly (readonly number[])[]
