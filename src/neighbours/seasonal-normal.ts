import { HOUR_MS } from '../metering/log-blob-name'

/** What is usual at an hour: `center` and `scale` are of ln(1 + value), so that scale 0.1 is about a tenth more or less. */
export interface Normal {
  readonly center: number
  /** The center of this hour on all days of its kind: a job of one day in the week does not move it. */
  readonly centerOfKind: number
  /** As a standard deviation would be, of what is not an outlier. */
  readonly scale: number
  /** The most that was seen at this hour of this day of the week, or a day ago; 0 where nothing was. */
  readonly seenMax: number
  /** Hours that it was learned from; 0: nothing is known. */
  readonly hours: number
}

/** Of an hour of the week the last so many are kept: a season does not last longer. */
export const WEEKS_KEPT = 5
export const HOURS_A_DAY = 24
export const HOURS_A_WEEK = 168
/** Hours of the week counted from Thursday: 1970 began on one, 00:00 UTC. */
const WEEKEND_FROM = 2 * HOURS_A_DAY
const WEEKEND_TO = 4 * HOURS_A_DAY
/** So many hours of one kind weigh as much as all that is known of the wider kind. */
const SHRINKAGE_HOURS = 1
/** Below it a scale measures how little was seen, not how little there is to see. */
const SCALE_MIN = 0.12
/** What is not known for want of hours: divided by the root of their number. */
const SCALE_UNKNOWN = 0.8
/** A median absolute deviation as a standard deviation, if the middle is Gaussian (Rousseeuw and Croux 1993). */
const MAD_TO_DEVIATION = 1.4826
/** Loads have a longer tail above than a Gaussian, so far out of which lies the same share. */
const TAIL_SHARE = 0.95
const TAIL_SCALES = 1.645
/** Values are stored as whole hundredths of their logarithm: to one percent. */
const STEPS = 100

/**
 * What is usual of a figure at each hour of the week, by medians: an hour that went wrong does not move them. While there are
 * few weeks, the same hour of other days of its kind (of work, or of the weekend) stands in, before that the same hour of all
 * days, and before that all hours: each kind is shrunk towards the wider one by how many hours of it there are. How far hours
 * differ from what is usual of their kind is one figure for all of them: few weeks tell little of a single hour.
 * A value is 0 or more, of whatever unit.
 */
export class SeasonalNormal {
  readonly #weeks: number[][]
  /** By hour of the week, as long as nothing is learned. */
  readonly #known = new Map<string, Normal>()
  #overall: { readonly hours: number; readonly center: number; readonly scale: number } | undefined

  constructor(stored: StoredNormal = []) {
    this.#weeks = Array.from({ length: HOURS_A_WEEK }, (_, hour) => [...(stored[hour] ?? [])])
  }

  /** One hour's value; the oldest of that hour of the week makes room. */
  learn(hourStartMs: number, value: number): void {
    this.#known.clear()
    this.#overall = undefined
    const kept = this.#weeks[hourOfWeek(hourStartMs)]
    kept?.push(stepsOf(value))
    if (kept && kept.length > WEEKS_KEPT) kept.shift()
  }

  at(timeMs: number, asked: Asked = {}): Normal {
    const hour = hourOfWeek(timeMs)
    if (asked.inPlaceOf) return this.#of(hour, asked)
    const key = `${hour} ${asked.withoutNewest ?? false}`
    const known = this.#known.get(key) ?? this.#of(hour, asked)
    this.#known.set(key, known)
    return known
  }

  #of(hour: number, { withoutNewest = false, inPlaceOf }: Asked): Normal {
    const all = (this.#overall ??= this.#ofAll())
    if (all.hours === 0) return { center: 0, centerOfKind: 0, scale: SCALE_UNKNOWN, seenMax: 0, hours: 0 }
    const ofWeek = this.#valuesOf(hour, inPlaceOf).slice(0, withoutNewest ? -1 : undefined)
    const [workdays, weekend] = this.#sameHour(hour, inPlaceOf)
    const kinds = [[...workdays, ...weekend], isWeekend(hour) ? weekend : workdays]
    const ofKind = kinds.reduce((wide, values) => shrunk(wide, values), all.center)
    const aDayBefore = (hour + HOURS_A_WEEK - HOURS_A_DAY) % HOURS_A_WEEK
    const seen = [...ofWeek, ...this.#valuesOf(aDayBefore, inPlaceOf).slice(-1)]
    return {
      center: shrunk(ofKind, ofWeek) / STEPS,
      centerOfKind: ofKind / STEPS,
      scale: all.scale,
      seenMax: seen.length === 0 ? 0 : valueOf(Math.max(...seen)),
      hours: all.hours,
    }
  }

  #ofAll() {
    const all = this.#weeks.flat()
    const scale = Math.max(SCALE_MIN, this.#deviation() / STEPS) + SCALE_UNKNOWN / Math.sqrt(all.length)
    return { hours: all.length, center: medianOf(all), scale }
  }

  /** The values of this hour of all days: of workdays, and of weekends. */
  #sameHour(hour: number, inPlaceOf?: InPlaceOf): readonly [number[], number[]] {
    const workdays: number[] = []
    const weekend: number[] = []
    for (let at = hour % HOURS_A_DAY; at < HOURS_A_WEEK; at += HOURS_A_DAY)
      (isWeekend(at) ? weekend : workdays).push(...this.#valuesOf(at, inPlaceOf))
    return [workdays, weekend]
  }

  /** Of all hours from the median of the same hour of days of their kind. */
  #deviation(): number {
    const residuals: number[] = []
    for (let hour = 0; hour < HOURS_A_DAY; hour++) {
      for (const values of this.#sameHour(hour)) {
        if (values.length < 2) continue
        const center = medianOf(values)
        // Of few values the median lies nearer to each than what it stands for.
        const correction = Math.sqrt(values.length / (values.length - 1))
        for (const value of values) residuals.push((value - center) * correction)
      }
    }
    if (residuals.length === 0) return deviationOf(this.#weeks.flat())
    const above = residuals.map((residual) => Math.max(0, residual))
    return Math.max(MAD_TO_DEVIATION * medianOf(residuals.map(Math.abs)), quantileOf(above, TAIL_SHARE) / TAIL_SCALES)
  }

  #valuesOf(hour: number, inPlaceOf?: InPlaceOf): readonly number[] {
    const kept = this.#weeks[hour] ?? []
    return inPlaceOf ? kept.map((value, at) => inPlaceOf(hour, kept.length - 1 - at) ?? value) : kept
  }

  encode(): StoredNormal {
    return this.#weeks
  }
}

export interface Asked {
  /** The hour is over and learned, and is asked for as it would have been before. */
  readonly withoutNewest?: boolean
  readonly inPlaceOf?: InPlaceOf | undefined
}

/**
 * What counts in place of an hour's value, as `stepsOf` has it; undefined where the value does. `hour` is of the week, and 0 weeks ago
 * the last time that it was learned. How far hours scatter stays that of the values.
 */
export type InPlaceOf = (hour: number, weeksAgo: number) => number | undefined

/** By hour of the week; whole hundredths of ln(1 + value), the oldest first. */
export type StoredNormal = readonly (readonly number[])[]

export const usualOf = ({ center }: Normal): number => Math.expm1(center)

/** What is above so many scales is no chance. */
export const aboveBy = ({ center, scale }: Normal, scales: number): number => Math.expm1(center + scales * scale)

/** A value as it is kept. */
export const stepsOf = (value: number): number => Math.round(Math.log1p(value) * STEPS)

const valueOf = (stored: number) => Math.expm1(stored / STEPS)

export const hourOfWeek = (timeMs: number) => Math.floor(timeMs / HOUR_MS) % HOURS_A_WEEK

const isWeekend = (hour: number) => hour >= WEEKEND_FROM && hour < WEEKEND_TO

/** The narrower kind's median, as far as there are hours of it. */
function shrunk(wide: number, values: readonly number[]): number {
  if (values.length === 0) return wide
  const weight = values.length / (values.length + SHRINKAGE_HOURS)
  return weight * medianOf(values) + (1 - weight) * wide
}

function deviationOf(values: readonly number[]): number {
  const center = medianOf(values)
  return MAD_TO_DEVIATION * medianOf(values.map((value) => Math.abs(value - center)))
}

const quantileOf = (values: readonly number[], share: number): number =>
  Float64Array.from(values).sort()[Math.floor(share * (values.length - 1))] ?? 0

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
