/** What Azure Monitor was asked, as its `Metrics - List` takes it (api-version 2023-10-01). */
export interface MetricQuery {
  readonly names: readonly string[]
  /** Unix milliseconds, in whole seconds. */
  readonly fromMs: number
  readonly toMs: number
  readonly intervalMs: number
  /** Dimensions by which the answer is split (`*`), or which it is narrowed to; names in lower case. */
  readonly filter: ReadonlyMap<string, string>
  /** Of the largest series. */
  readonly seriesMax: number
}

/** What Azure's service of metrics refuses with. It wraps errors in no `error`, unlike the rest of Resource Manager. */
export class MetricError extends Error {
  readonly code = 'BadRequest'
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const intervals: Readonly<Record<string, number>> = {
  PT1M: MINUTE_MS,
  PT5M: 5 * MINUTE_MS,
  PT15M: 15 * MINUTE_MS,
  PT30M: 30 * MINUTE_MS,
  PT1H: HOUR_MS,
  PT6H: 6 * HOUR_MS,
  PT12H: 12 * HOUR_MS,
  P1D: 24 * HOUR_MS,
}
const NAMES_MAX = 20
const SERIES_DEFAULT = 10
const SPAN_DAYS_MAX = 93
const CONDITION = /^\s*([A-Za-z]+)\s+eq\s+'([^']*)'\s*$/i

/** Throws a MetricError that says what is wrong. */
export function readMetricQuery(query: URLSearchParams, now: number): MetricQuery {
  const names = (query.get('metricnames') ?? '').split(',').filter((name) => name !== '')
  if (names.length === 0 || names.length > NAMES_MAX)
    throw new MetricError(`Between 1 and ${NAMES_MAX} metric names must be provided.`)
  const [fromMs, toMs] = readSpan(query.get('timespan'), now)
  const interval = query.get('interval') ?? 'PT1M'
  const intervalMs = intervals[interval.toUpperCase()]
  if (intervalMs === undefined)
    throw new MetricError(
      `Detected invalid time grain input: ${interval}, supported: ${Object.keys(intervals).join(',')}`,
    )
  const aggregation = (query.get('aggregation') ?? 'Total').toLowerCase()
  if (aggregation !== 'total') throw new MetricError(`Aggregation ${aggregation} is not simulated; ask for Total.`)
  const top = Number(query.get('top') ?? SERIES_DEFAULT)
  if (!Number.isInteger(top) || top < 1) throw new MetricError('top must be a whole number above 0.')
  return { names, fromMs, toMs, intervalMs, filter: readFilter(query.get('$filter')), seriesMax: top }
}

function readSpan(timespan: string | null, now: number): [number, number] {
  if (timespan === null) return [now - HOUR_MS, now]
  const [from = '', to = ''] = timespan.split('/')
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)]
  if (!(fromMs < toMs)) throw new MetricError(`The timespan '${timespan}' is not valid.`)
  if (fromMs < now - SPAN_DAYS_MAX * 24 * HOUR_MS)
    throw new MetricError(`Detected start time out of retention: metrics are kept for ${SPAN_DAYS_MAX} days.`)
  return [fromMs, toMs]
}

function readFilter(text: string | null): Map<string, string> {
  const filter = new Map<string, string>()
  for (const part of (text ?? '').split(/\s+and\s+/i).filter((each) => each.trim() !== '')) {
    const [, name = '', value = ''] = CONDITION.exec(part) ?? []
    if (name === '') throw new MetricError(`The filter '${text ?? ''}' is not valid.`)
    filter.set(name.toLowerCase(), value)
  }
  return filter
}
