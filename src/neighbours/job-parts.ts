import { HOUR_MS } from '../metering/log-blob-name'
import { PART_MINUTES, PART_MS, PARTS } from './hour-shape'
import { HOURS_A_DAY, HOURS_A_WEEK, hourOfWeek, stepsOf, WEEKS_KEPT, type InPlaceOf } from './seasonal-normal'

/** Of what the hour is at its most. A part that reached less was left free by what ran then; chance makes parts differ, but less. */
const HIGH_MIN = 0.4
/** A job that begins a little earlier or later than it did is the same job. */
export const SHIFT_MS_MAX = 3 * PART_MS
/** An hour whose parts are much alike, or of which nothing is known: it counts as a whole. */
const EVEN = 0
const MASKS = 1 << PARTS

/**
 * Which parts of its hour a job took, by hour of the week, and the most of the other parts. A job is no excuse in the parts that it leaves
 * free: there each hour counts by what those reached, instead of by what it was at its most.
 */
export class JobParts {
  /** The parts that were high as bits, and above them the most of the others, as SeasonalNormal keeps values; or EVEN. */
  readonly #weeks: number[][]

  /** Newest last, as the hours' loads are kept: what was learned before this was kept has no entry, and counts as EVEN. */
  constructor(stored: StoredJobParts = []) {
    this.#weeks = Array.from({ length: HOURS_A_WEEK }, (_, hour) => [...(stored[hour] ?? [])])
  }

  /** To be called of each hour that a load is learned of. `loads`: by the minute, above 0; undefined where they are not to be trusted. */
  learn(hourStartMs: number, loads: Float64Array | undefined): void {
    const kept = this.#weeks[hourOfWeek(hourStartMs)]
    kept?.push(loads ? dividedOf(loads) : EVEN)
    if (kept && kept.length > WEEKS_KEPT) kept.shift()
  }

  /**
   * What each day's hour at `hourMs` counts for near `timeMs`: its most of the parts that were left free, where no part near this time
   * was high. Undefined where all count as a whole.
   */
  near(timeMs: number, hourMs: number): InPlaceOf | undefined {
    const near = partsNear(timeMs, hourMs)
    const isFree = (divided: number) => divided !== EVEN && (divided & near) === 0
    const days = Array.from({ length: HOURS_A_WEEK / HOURS_A_DAY }, (_, day) => this.#weeks[hourOfDay(hourMs, day)])
    if (!days.some((kept) => kept?.some(isFree))) return undefined
    return (hour, weeksAgo) => {
      const divided = this.#weeks[hour]?.at(-1 - weeksAgo) ?? EVEN
      return isFree(divided) ? Math.floor(divided / MASKS) : undefined
    }
  }

  encode(): StoredJobParts {
    return this.#weeks
  }
}

export type StoredJobParts = readonly (readonly number[])[]

function dividedOf(loads: Float64Array): number {
  const highMin = HIGH_MIN * Math.max(...loads)
  let [high, rest] = [0, 0]
  for (let part = 0; part < PARTS; part++) {
    const most = Math.max(...loads.subarray(part * PART_MINUTES, (part + 1) * PART_MINUTES))
    if (most >= highMin) high |= 1 << part
    else rest = Math.max(rest, most)
  }
  return rest === 0 ? EVEN : MASKS * stepsOf(rest) + high
}

/** As bits, of the parts of the hour at `hourMs`. */
function partsNear(timeMs: number, hourMs: number): number {
  const hourStartMs = Math.floor(hourMs / HOUR_MS) * HOUR_MS
  const partAt = (atMs: number) => Math.floor((atMs - hourStartMs) / PART_MS)
  let near = 0
  for (let part = 0; part < PARTS; part++)
    if (part >= partAt(timeMs - SHIFT_MS_MAX) && part <= partAt(timeMs + SHIFT_MS_MAX)) near |= 1 << part
  return near
}

const hourOfDay = (timeMs: number, day: number) => (hourOfWeek(timeMs) % HOURS_A_DAY) + day * HOURS_A_DAY
