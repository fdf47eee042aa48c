import { cleanSeries } from './clean-series'
import { fitTrend } from './damped-trend'
import { mean, median, quantile } from './order-statistics'
import { WEEK_DAYS, weeklySeason } from './weekly-season'

/** One value a day without a hole in the numbering; undefined where a day is not known, 0 where nothing was used. */
export type DailySeries = readonly (number | undefined)[]

export type SeriesForecast =
  | Forecast
  /** Days with something known, from the first use on, and how many it takes. */
  | { readonly kind: 'not-enough-history'; readonly daysKnown: number; readonly daysNeeded: number }
  /** Nothing at all was used for IDLE_DAYS: none is expected, and nothing is known of when that changes. */
  | { readonly kind: 'idle'; readonly daysIdle: number }

export interface Forecast {
  readonly kind: 'forecast'
  /** `trend`: a level that grows, times the day of the week. `irregular`: too many days without use to speak of a level. */
  readonly method: 'trend' | 'irregular'
  /** As likely to be above as below, for each of the days to come. Never negative. */
  readonly expected: readonly number[]
  /** Holds `INTERVAL_SHARE` of what comes, half of the rest on each side. */
  readonly lower: readonly number[]
  readonly upper: readonly number[]
  /** Standard deviation of the logarithm of a day around what is expected of it, were the level known; 0 where it is not told apart. */
  readonly dayNoise: number
  /** Of the level, a day, as it is now; it lessens with time. 0.01 is one percent. */
  readonly growthPerDay: number
  /** Whole days since the level last became another one all at once; absent where it never did. */
  readonly daysSinceShift?: number | undefined
  readonly daysKnown: number
}

export const INTERVAL_SHARE = 0.8
/** Two of each day of the week. */
export const HISTORY_DAYS_MIN = 2 * WEEK_DAYS
export const IDLE_DAYS = 2 * WEEK_DAYS
/** No forecast goes beyond so many times what was ever seen: growth in proportion has an end, though nobody knows where. */
const GROWTH_TIMES_MAX = 20
/** A day of the week with less of the mean says nothing of the level: a closed shop’s Sundays. */
const SEASON_LOUD_MIN = 0.1
/** Days without any use, among those of which it would be expected. */
const IRREGULAR_SHARE = 0.25
const RECENT_DAYS = 8 * WEEK_DAYS
/** What stands for nothing in a logarithm, of the median. */
const FLOOR_SHARE = 0.02

/**
 * What comes after the last day of a series. Pure. Days before the first use do not count; values that are no finite number of 0 or
 * more are taken for unknown.
 */
export function forecastSeries(series: DailySeries, horizonDays: number): SeriesForecast {
  const values = sinceFirstUse(series)
  const daysKnown = values.filter((value) => value !== undefined).length
  const lastUse = values.findLastIndex((value) => value !== undefined && value > 0)
  const daysIdle = values.slice(lastUse + 1).filter((value) => value === 0).length
  if (daysIdle >= IDLE_DAYS) return { kind: 'idle', daysIdle }
  if (daysKnown < HISTORY_DAYS_MIN) return { kind: 'not-enough-history', daysKnown, daysNeeded: HISTORY_DAYS_MIN }
  const season = weeklySeason(values)
  const loud = values.map((value, i) => ((season[i % WEEK_DAYS] ?? 1) >= SEASON_LOUD_MIN ? value : undefined))
  const recent = loud.slice(-RECENT_DAYS).filter((value) => value !== undefined)
  const isRegular = recent.filter((value) => value === 0).length <= IRREGULAR_SHARE * recent.length
  if (recent.length < WEEK_DAYS || !isRegular) return irregular(values, horizonDays, daysKnown)
  return regular({ values, loud, season, horizonDays, daysKnown })
}

function sinceFirstUse(series: DailySeries): DailySeries {
  const sound = series.map((value) => (value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined))
  const first = sound.findIndex((value) => value !== undefined && value > 0)
  return first < 0 ? [] : sound.slice(first)
}

interface Regular {
  readonly values: DailySeries
  readonly loud: DailySeries
  readonly season: readonly number[]
  readonly horizonDays: number
  readonly daysKnown: number
}

function regular({ values, loud, season, horizonDays, daysKnown }: Regular): Forecast {
  const levels = loud.map((value, i) => (value === undefined ? undefined : value / (season[i % WEEK_DAYS] ?? 1)))
  const floor = FLOOR_SHARE * median(levels.filter((level) => level !== undefined && level > 0).map(Number))
  const logs = levels.map((level) => (level === undefined ? undefined : Math.log(Math.max(level, floor))))
  const { cleaned, aligned, shiftsAt, noise } = cleanSeries(logs)
  const trend = fitTrend({ cleaned, noisy: aligned, noise, intervalShare: INTERVAL_SHARE })
  const most = GROWTH_TIMES_MAX * Math.max(...values.map((value) => value ?? 0))
  const days = Array.from({ length: horizonDays }, (_, i) => {
    const weekday = (values.length + i) % WEEK_DAYS
    const factor = season[weekday] ?? 1
    const expected = Math.min(most, Math.exp(trend.at(i + 1)) * factor)
    const width = trend.halfWidth(i + 1)
    if (factor >= SEASON_LOUD_MIN)
      return { expected, lower: expected * Math.exp(-width), upper: Math.min(most, expected * Math.exp(width)) }
    const same = values.filter((value, day) => value !== undefined && day % WEEK_DAYS === weekday).map(Number)
    return { expected, lower: 0, upper: Math.max(expected * Math.exp(width), quantile(same, (1 + INTERVAL_SHARE) / 2)) }
  })
  const [shiftedAt] = shiftsAt
  return {
    kind: 'forecast',
    method: 'trend',
    expected: days.map(({ expected }) => expected),
    lower: days.map(({ lower }) => lower),
    upper: days.map(({ upper }) => upper),
    dayNoise: noise,
    growthPerDay: trend.growthPerDay,
    ...(shiftedAt === undefined ? {} : { daysSinceShift: values.length - shiftedAt }),
    daysKnown,
  }
}

/** The same for every day: what days of the last weeks were, zeros among them. */
function irregular(values: DailySeries, horizonDays: number, daysKnown: number): Forecast {
  const recent = values.slice(-RECENT_DAYS).filter((value) => value !== undefined)
  const upper = quantile(recent, (1 + INTERVAL_SHARE) / 2)
  const same = (value: number) => Array.from({ length: horizonDays }, () => value)
  return {
    kind: 'forecast',
    method: 'irregular',
    // The mean, of days none of which is beyond the interval: a sum over days is then right, which a median's would not be.
    expected: same(mean(recent.map((value) => Math.min(value, upper)))),
    lower: same(quantile(recent, (1 - INTERVAL_SHARE) / 2)),
    upper: same(upper),
    dayNoise: 0,
    growthPerDay: 0,
    daysKnown,
  }
}
