import { HOUR_MS } from '../metering/log-blob-name'

/** Parts of an hour. A job that begins a little earlier or later than it did is in the part before or after. */
export const PART_MINUTES = 5
export const PART_MS = PART_MINUTES * 60_000
export const PARTS = HOUR_MS / PART_MS
/** Of each part so many hours are kept; of fewer than the second nothing is said. */
const HOURS_KEPT = 24
const HOURS_MIN = 6
/** Of the hours, those in which a part reached no more. */
const MOST_SHARE = 0.9
/** Of what the hour is at its most: chance alone makes the parts of an hour differ by this. */
const EVEN_MIN = 0.6
/** Shares are stored as whole hundredths. */
const STEPS = 100

export type PartOfHour =
  /** It may reach what its hour does. */
  | { readonly kind: 'as-its-hour' }
  /** Work that runs each hour is not in it. `times`: what it may reach, of the hour's middle minute. */
  | { readonly kind: 'free'; readonly times: number }

/**
 * How a load divides within an hour. What runs every hour has its minutes there: in the others it excuses nothing, and says nothing of
 * them, since it is no larger by day because they are. An hour without such work is even, and says nothing more than the hour itself does.
 */
export class HourShape {
  /** By part: of the last hours, the most of its minutes, in hundredths of the hour's most and of its middle one by turns. */
  readonly #parts: number[][]
  /** By part, as long as nothing is learned. */
  readonly #known = new Map<number, PartOfHour>()

  constructor(stored: StoredHourShape = []) {
    this.#parts = Array.from({ length: PARTS }, (_, part) => [...(stored[part] ?? [])])
  }

  /** An hour's loads by the minute, above 0. */
  learn(loads: Float64Array): void {
    this.#known.clear()
    const [ofMost, ofMiddle] = [Math.max(...loads), middleOf(loads)]
    for (const [part, kept] of this.#parts.entries()) {
      const most = Math.max(...loads.subarray(part * PART_MINUTES, (part + 1) * PART_MINUTES))
      kept.push(Math.round((STEPS * most) / ofMost), Math.round((STEPS * most) / ofMiddle))
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
    const most = (which: 0 | 1) => Math.max(...near.map((at) => this.#shareOf(at, which)))
    return most(0) >= EVEN_MIN ? { kind: 'as-its-hour' } : { kind: 'free', times: most(1) }
  }

  /** `which`: 0 of the hour's most, 1 of its middle minute. */
  #shareOf(part: number, which: 0 | 1): number {
    const shares = (this.#parts[part] ?? []).filter((_, at) => at % 2 === which).toSorted((a, b) => a - b)
    if (shares.length < HOURS_MIN) return 1
    return (shares[Math.floor(MOST_SHARE * (shares.length - 1))] ?? STEPS) / STEPS
  }

  encode(): StoredHourShape {
    return this.#parts
  }
}

export type StoredHourShape = readonly (readonly number[])[]

/** The middle one of an hour's minutes. */
export const middleOf = (loads: Float64Array): number => loads.toSorted()[loads.length >> 1] ?? 0
