import type { BackendId, TenantId } from '../base/ids'
import type { DayNumber } from './day'
import { forecastSeries, type DailySeries, type SeriesForecast } from './forecast/forecast-series'
import { limitOutlook, metricOf, withoutCeiling, type LimitName, type LimitOutlook } from './limit-outlook'
import { seriesOf, type Metric, type ObservedDays } from './observed-days'

/** Whose use is looked at. */
export type CapacitySubject =
  | { readonly kind: 'tenant'; readonly tenantId: TenantId }
  | { readonly kind: 'deployment'; readonly backendId: BackendId }

export const subjectIdOf = (subject: CapacitySubject): TenantId | BackendId =>
  subject.kind === 'tenant' ? subject.tenantId : subject.backendId

/** What is expected of a subject's use, and of its limits: the result of a run, as it is stored. */
export interface Outlook {
  /** The last day that was observed. */
  readonly through: DayNumber
  /** Of the run that made it. */
  readonly generation: number
  readonly forecasts: Readonly<Partial<Record<Metric, SeriesForecast>>>
  /** The one that is reached first comes first. */
  readonly limits: readonly LimitOutlook[]
  /** Limits that somebody was alerted of, and of which they have not been told that it is over. */
  readonly alerted: readonly LimitName[]
}

export type Limits = Readonly<Partial<Record<LimitName, number>>>

/** A quarter: what can be bought, asked for or rebuilt takes weeks, and what is further off than this nobody knows. */
export const HORIZON_DAYS = 90
/** A year has its own seasons, which are not known here; half of one is what the level and its growth are learned from. */
const LEARNED_DAYS = 182
const forecastMetrics = [
  'requests',
  'tokens',
  'costMicroUsd',
  'peakRequests',
  'peakTokens',
  'peakLoad',
] as const satisfies readonly Metric[]

/** Pure. `peakLoad` is forecast where something is held against it. */
export function makeOutlook(
  observed: ObservedDays,
  {
    through,
    generation,
    limits,
    alerted,
  }: Pick<Outlook, 'through' | 'generation' | 'alerted'> & { readonly limits: Limits },
): Outlook {
  const of = (metric: Metric) => seriesOf(observed, metric, through)
  const [requests, turnedAway] = [of('requests'), of('turnedAway')]
  const ceilings: Partial<Record<Metric, number | undefined>> = {
    peakRequests: limits.requestsPerMinute,
    peakTokens: limits.tokensPerMinute,
    peakLoad: limits.inputTokensPerMinute,
  }
  const uncovered = (metric: Metric): DailySeries => {
    const limit = ceilings[metric]
    return limit === undefined ? of(metric) : withoutCeiling(of(metric), { limit, requests, turnedAway })
  }
  const wanted = forecastMetrics.filter((metric) => metric !== 'peakLoad' || limits.inputTokensPerMinute !== undefined)
  const known = wanted.map((metric) => {
    const series = uncovered(metric)
    return { metric, series, forecast: rounded(forecastSeries(series.slice(-LEARNED_DAYS), HORIZON_DAYS)) }
  })
  const outlooks = known.flatMap(({ metric, series, forecast }) =>
    limitsOn(metric, limits).map(({ name, limit }) => limitOutlook({ name, limit, series, forecast, through })),
  )
  return {
    through,
    generation,
    forecasts: Object.fromEntries(known.map(({ metric, forecast }) => [metric, forecast])),
    limits: outlooks.toSorted(byNearness),
    alerted,
  }
}

const limitsOn = (metric: Metric, limits: Limits): readonly { name: LimitName; limit: number }[] =>
  entriesOf(limits).filter(({ name }) => metricOf(name) === metric)

export function entriesOf(limits: Limits): readonly { name: LimitName; limit: number }[] {
  return (Object.keys(limits) as LimitName[]).flatMap((name) => {
    const limit = limits[name]
    return limit === undefined ? [] : { name, limit }
  })
}

/** The nearest first; of those that are reached at the same time, or never, the fullest. */
function byNearness(a: LimitOutlook, b: LimitOutlook): number {
  return (a.expectedInDays ?? Infinity) === (b.expectedInDays ?? Infinity)
    ? fullness(b) - fullness(a)
    : (a.expectedInDays ?? Infinity) - (b.expectedInDays ?? Infinity)
}

export const fullness = ({ used, limit }: LimitOutlook): number => used / Math.max(1, limit)

/** Whole numbers: what is forecast is counted, and three paths of 90 days take a third of the room. */
function rounded(forecast: SeriesForecast): SeriesForecast {
  if (forecast.kind !== 'forecast') return forecast
  const { expected, lower, upper } = forecast
  return { ...forecast, expected: expected.map(Math.round), lower: lower.map(Math.floor), upper: upper.map(Math.ceil) }
}
