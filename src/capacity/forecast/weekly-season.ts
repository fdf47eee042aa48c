import { mean, median } from './order-statistics'

export const WEEK_DAYS = 7
/** Weeks that the season is read from: habits of last year say less than those of this quarter. */
const SEASON_WEEKS = 12

/**
 * What each day of the week is of the week's mean: seven factors around 1, the first that of the first value's day. Each is the median
 * over weeks of the day against the seven days around it, so that single days and moves of the level leave it alone, and is drawn
 * towards 1 as far as chance could have made it (James–Stein: the noise of a median of so many weeks against what differs between days).
 */
export function weeklySeason(values: readonly (number | undefined)[]): readonly number[] {
  const ratios = ratiosByDay(values)
  const raw = ratios.map((of) => (of.length === 0 ? 1 : median(of)))
  const level = mean(raw)
  if (level <= 0) return raw.map(() => 1)
  const factors = raw.map((factor) => factor / level)
  const trust = trustIn(factors, ratios)
  return factors.map((factor) => 1 + trust * (factor - 1))
}

function ratiosByDay(values: readonly (number | undefined)[]): readonly number[][] {
  const ratios: number[][] = Array.from({ length: WEEK_DAYS }, () => [])
  const half = (WEEK_DAYS - 1) / 2
  for (let i = Math.max(half, values.length - SEASON_WEEKS * WEEK_DAYS); i < values.length - half; i++) {
    const value = values[i]
    const around = values.slice(i - half, i + half + 1).filter((each) => each !== undefined)
    const level = mean(around)
    if (value === undefined || around.length < WEEK_DAYS || level <= 0) continue
    ratios[i % WEEK_DAYS]?.push(value / level)
  }
  return ratios
}

/** From 0 (chance could have made all of it) to 1. */
function trustIn(factors: readonly number[], ratios: readonly (readonly number[])[]): number {
  const deviations = ratios.flatMap((of, day) => of.map((ratio) => (ratio - (factors[day] ?? 1)) ** 2))
  const weeks = Math.max(1, Math.min(...ratios.map((of) => of.length)))
  // With one week for each day there is nothing to tell noise by: half is believed.
  if (weeks < 2) return 1 / 2
  const noise = median(deviations) / 0.455 / weeks
  const seen = mean(factors.map((factor) => (factor - 1) ** 2))
  return seen <= 0 ? 0 : Math.max(0, 1 - noise / seen)
}
