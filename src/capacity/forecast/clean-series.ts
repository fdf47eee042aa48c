import { median, robustSlope, spread } from './order-statistics'

/** Logarithms of days' levels; undefined where nothing is known. */
type Logs = readonly (number | undefined)[]

export interface CleanSeries {
  /** As if the level had always been where it is now, single odd days taken out. */
  readonly cleaned: Logs
  /** The same with the odd days left in: what an interval has to hold. */
  readonly aligned: Logs
  /** Index of the first day of each new level, the latest first. */
  readonly shiftsAt: readonly number[]
  /** Standard deviation of a day around its level. */
  readonly noise: number
}

/** Days on each side that say what is usual around a day. */
const AROUND_DAYS = 7
/** Further off than so many standard deviations, and by a fifth at least, is odd. */
const ODD_SPREADS = 3.5
const MOVE_MIN = 0.2
/** A week before and a week after make a new level; one of fewer days may be an episode. */
const WEEK = 7
/** Medians of seven lie so far apart by chance, in standard deviations of a day: 1.25 · √(2/7), and five times that. */
const SHIFT_SPREADS = 5 * 0.67
/** Of a move, what must be left when growth on both sides of it is taken off: growth is no shift. */
const SUDDEN_SHARE = 0.5
const SHIFTS_MAX = 5

/** Finds days that are out of line and days from which on the level is another one. */
export function cleanSeries(logs: Logs): CleanSeries {
  let aligned = logs
  const shiftsAt: number[] = []
  for (;;) {
    const { kept, noise } = withoutOddDays(aligned)
    const shift = shiftsAt.length < SHIFTS_MAX ? largestShift(kept, noise) : undefined
    if (!shift) return { cleaned: kept, aligned, shiftsAt: shiftsAt.toSorted((a, b) => b - a), noise }
    shiftsAt.push(shift.at)
    aligned = aligned.map((log, i) => (log !== undefined && i < shift.at ? log + shift.by : log))
  }
}

function withoutOddDays(logs: Logs): { kept: Logs; noise: number } {
  const residuals = logs.map((log, i) => {
    const around = known(logs.slice(Math.max(0, i - AROUND_DAYS), i + AROUND_DAYS + 1))
    return log === undefined || around.length === 0 ? undefined : log - median(around)
  })
  const noise = spread(known(residuals))
  const bound = Math.max(MOVE_MIN, ODD_SPREADS * noise)
  return { kept: logs.map((log, i) => (Math.abs(residuals[i] ?? 0) > bound ? undefined : log)), noise }
}

function largestShift(logs: Logs, noise: number): { at: number; by: number } | undefined {
  const growth = WEEK * robustSlope(logs)
  const bound = Math.max(MOVE_MIN, SHIFT_SPREADS * noise)
  let largest: { at: number; by: number } | undefined
  for (let at = WEEK; at <= logs.length - WEEK; at++) {
    const [before, after] = [levelIn(logs, at - WEEK), levelIn(logs, at)]
    if (before === undefined || after === undefined) continue
    const by = after - before - growth
    if (Math.abs(by) <= Math.max(bound, Math.abs(largest?.by ?? 0))) continue
    // Growth before and after, as far as the series has it; sudden is what is more than both together explain.
    const growthBefore = before - (levelIn(logs, at - 2 * WEEK) ?? before)
    const growthAfter = (levelIn(logs, at + WEEK) ?? after) - after
    const sudden = after - before - (growthBefore + growthAfter) / 2
    if (sudden * Math.sign(by) > SUDDEN_SHARE * Math.abs(by)) largest = { at, by }
  }
  return largest
}

function levelIn(logs: Logs, from: number): number | undefined {
  const week = from < 0 ? [] : known(logs.slice(from, from + WEEK))
  return week.length > WEEK / 2 ? median(week) : undefined
}

const known = (logs: Logs): number[] => logs.filter((log) => log !== undefined)
