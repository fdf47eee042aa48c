import { monthStartOf, type DayNumber } from './day'
import type { DailySeries, SeriesForecast } from './forecast/forecast-series'
import type { Metric } from './observed-days'

/**
 * When a limit is reached. `used` is what of it was used of late: of a limit a minute the fullest minute of the last seven days, of a
 * budget a day the largest of them, of a budget a month the month so far. Days count from the last day that was observed: 0 is reached
 * already, 1 is the day after. Undefined is not within the horizon.
 */
export interface LimitOutlook {
  readonly name: LimitName
  readonly limit: number
  readonly used: number
  /** As likely before as after: of a limit a minute or a day, the first single day that comes up to it. */
  readonly expectedInDays: number | undefined
  /** By the upper bound of the interval: with a chance of about one in ten it is reached by then. */
  readonly earliestInDays: number | undefined
}

/** Of each, what is held against it, and how. `inputTokensPerMinute` is what provisioned throughput takes. */
const limitNames = {
  requestsPerMinute: { metric: 'peakRequests', per: 'minute' },
  tokensPerMinute: { metric: 'peakTokens', per: 'minute' },
  inputTokensPerMinute: { metric: 'peakLoad', per: 'minute' },
  tokensPerDay: { metric: 'tokens', per: 'day' },
  tokensPerMonth: { metric: 'tokens', per: 'month' },
  microUsdPerDay: { metric: 'costMicroUsd', per: 'day' },
  microUsdPerMonth: { metric: 'costMicroUsd', per: 'month' },
} as const satisfies Record<string, { metric: Metric; per: 'minute' | 'day' | 'month' }>
export type LimitName = keyof typeof limitNames
export const metricOf = (name: LimitName): Metric => limitNames[name].metric

/** Whoever is refused at a limit never uses all of it: so much of it is the whole. */
const REACHED_SHARE = 0.98
const RECENT_DAYS = 7

export interface LimitInput {
  readonly name: LimitName
  readonly limit: number
  /** Of the limit's metric, up to `through`. */
  readonly series: DailySeries
  readonly forecast: SeriesForecast
  readonly through: DayNumber
}

/** Pure. */
export function limitOutlook(input: LimitInput): LimitOutlook {
  return limitNames[input.name].per === 'month' ? ofMonth(input) : ofDay(input)
}

function ofDay({ name, limit, series, forecast }: LimitInput): LimitOutlook {
  const used = Math.max(0, ...series.slice(-RECENT_DAYS).map((value) => value ?? 0))
  if (used >= limit * REACHED_SHARE) return { name, limit, used, expectedInDays: 0, earliestInDays: 0 }
  if (forecast.kind !== 'forecast') return { name, limit, used, expectedInDays: undefined, earliestInDays: undefined }
  const { expected, upper, dayNoise } = forecast
  const touched = firstTouch(expected, { limit, dayNoise })
  const within = upper.findIndex((value) => value >= limit) + 1
  // A day’s chance is the interval’s, that of many days together may come before it.
  const earliest = Math.min(within === 0 ? Infinity : within, touched ?? Infinity)
  return { name, limit, used, expectedInDays: touched, earliestInDays: earliest === Infinity ? undefined : earliest }
}

/**
 * From 1: the day by which it is as likely as not that one of the days has come up to the limit. Each day lies around what is expected of
 * it, and it takes but one: so that day comes before the one on which the limit itself is expected.
 */
function firstTouch(
  expected: readonly number[],
  { limit, dayNoise }: { limit: number; dayNoise: number },
): number | undefined {
  let untouched = 1
  for (const [i, value] of expected.entries()) {
    const isAbove = value >= limit ? 1 : 0
    untouched *= 1 - (dayNoise > 0 && value > 0 ? upperTail(Math.log(limit / value) / dayNoise) : isAbove)
    if (untouched <= AS_LIKELY_AS_NOT) return i + 1
  }
  return undefined
}
const AS_LIKELY_AS_NOT = 0.5

/** Chance that a standard normal is above `x`, to within 0.0002 (Bowling et al., 2009). */
const upperTail = (x: number): number => 1 / (1 + Math.exp(1.5976 * x + 0.070_565_992 * x ** 3))

/** Budgets begin anew with each month, so a month is reached by its own days alone. */
function ofMonth({ name, limit, series, forecast, through }: LimitInput): LimitOutlook {
  const daysOfMonth = through - monthStartOf(through) + 1
  const used = sum(series.slice(-daysOfMonth))
  if (used >= limit * REACHED_SHARE) return { name, limit, used, expectedInDays: 0, earliestInDays: 0 }
  const firstIn = (path: readonly number[]) => {
    let total = used
    for (const [i, value] of path.entries()) {
      const day = through + i + 1
      total = day === monthStartOf(day) ? value : total + value
      if (total >= limit) return i + 1
    }
    return undefined
  }
  const [expected, upper] = forecast.kind === 'forecast' ? [forecast.expected, forecast.upper] : [[], []]
  return { name, limit, used, expectedInDays: firstIn(expected), earliestInDays: firstIn(upper) }
}

const sum = (values: DailySeries): number => values.reduce<number>((total, value) => total + (value ?? 0), 0)

/** Calls turned away, of all that came, from which on a day says that a limit was in the way. */
const TURNED_AWAY_SHARE = 0.01
/** A limit a minute is judged by reservations, which are more than what is then used: half of it used can be all of it reserved. */
const HELD_BACK_SHARE = 0.5

/**
 * What would have been used in the fullest minute had nothing stood in the way, as far as that can be known: a limit hides what is
 * above it, and a series that cannot rise above its limit would never be forecast to reach it. A day on which calls were turned
 * away and the limit was in use counts as one that reached it.
 */
export function withoutCeiling(
  peaks: DailySeries,
  { limit, requests, turnedAway }: { limit: number; requests: DailySeries; turnedAway: DailySeries },
): DailySeries {
  return peaks.map((peak, day) => {
    const refused = turnedAway[day] ?? 0
    const share = refused / Math.max(1, refused + (requests[day] ?? 0))
    const isHeldBack = peak !== undefined && share >= TURNED_AWAY_SHARE && peak >= HELD_BACK_SHARE * limit
    return isHeldBack ? Math.max(peak, limit) : peak
  })
}
