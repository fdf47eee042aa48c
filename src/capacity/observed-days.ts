import type { DayNumber } from './day'
import type { DailySeries } from './forecast/forecast-series'

/**
 * What is kept of each day of a tenant or a deployment. `requests`, `tokens` (prompt and output) and `costMicroUsd` are the day's sums;
 * a `peak…` is what was used in the fullest minute of the day, and unknown where that day's minutes were not kept any more when it was
 * looked at. `peakLoad` counts as provisioned throughput does: prompt tokens that were not cached, and output tokens times the model's
 * weight. `turnedAway`: of a tenant, calls that were refused with 429 here; of a deployment, attempts that it answered with 429.
 */
export const metrics = [
  'requests',
  'tokens',
  'costMicroUsd',
  'peakRequests',
  'peakTokens',
  'peakLoad',
  'turnedAway',
] as const
export type Metric = (typeof metrics)[number]

export type ObservedDay = Readonly<Record<Metric, number | undefined>>

/** As it is stored: every metric has a value for every day from `firstDay` on, null where it is not known. */
export interface ObservedDays {
  readonly firstDay: DayNumber
  readonly values: Readonly<Record<Metric, readonly (number | null)[]>>
}

/** A year, and a month to see that it was one: 7 metrics of 400 days are about 25 KB. */
export const HISTORY_DAYS_MAX = 400

export const lastDayOf = ({ firstDay, values }: ObservedDays): DayNumber => firstDay + values.requests.length - 1

/** With these days in place of what was known of them; days in between of which nothing is said had no use. Pure. */
export function withDays(
  known: ObservedDays | undefined,
  days: ReadonlyMap<DayNumber, ObservedDay>,
): ObservedDays | undefined {
  const said = [...days.keys()]
  if (said.length === 0) return known
  const lastDay = Math.max(...said, known ? lastDayOf(known) : -Infinity)
  const firstDay = Math.max(lastDay - HISTORY_DAYS_MAX + 1, Math.min(...said, known?.firstDay ?? Infinity))
  const valueOf = (metric: Metric, day: DayNumber): number | null => {
    const observed = days.get(day)
    const kept = known?.values[metric][day - known.firstDay]
    // A peak that was seen while minutes were kept stays when the day is read again without them.
    return observed?.[metric] ?? kept ?? (observed ? null : 0)
  }
  const length = lastDay - firstDay + 1
  const values = Object.fromEntries(
    metrics.map((metric) => [metric, Array.from({ length }, (_, i) => valueOf(metric, firstDay + i))]),
  ) as Record<Metric, (number | null)[]>
  return { firstDay, values }
}

/** Up to and with `through`; days after the last one that is known had no use. */
export function seriesOf({ firstDay, values }: ObservedDays, metric: Metric, through: DayNumber): DailySeries {
  const known = values[metric]
  return Array.from({ length: Math.max(0, through - firstDay + 1) }, (_, i) => {
    const value = known[i]
    return value === undefined ? 0 : (value ?? undefined)
  })
}
