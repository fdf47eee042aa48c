import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import type { RollUp } from './run-roll-up'
import { writeCursor } from './usage-cursor'
import { sumUpPage, type UsageSum } from './usage-page'
import { percentilesOf, type UsagePercentiles } from './usage-percentiles'
import { parseUsageQuery, widthOf, type Interval, type UsageQuery } from './usage-query'
import { createUsageReader } from './usage-reader'
import type { GroupField, UsageGroup, UsageSums } from './usage-sums'

/**
 * What a tenant used. Every call counts in the minute in which it came in; times are UTC, ISO 8601.
 * The rows of all pages add up to `totals`, field by field, but for percentiles.
 */
export interface UsageReport {
  /** The span as it was counted: the asked one widened to whole minutes, or whole hours for times long past. */
  readonly from: string
  /** Exclusive. */
  readonly to: string
  readonly interval: Interval
  readonly groupBy: readonly GroupField[]
  /** Of the whole span. */
  readonly totals: UsageFigures
  /** In order of time, then of the groups. One for every interval and group in which there was anything, no others. */
  readonly rows: readonly UsageReportRow[]
  /** For the `after` of the next page; absent on the last one. */
  readonly next?: string
}

export type UsageFigures = Readonly<UsageSums> & UsagePercentiles

export type UsageReportRow = UsageFigures &
  /** Only the fields that were asked for by `groupBy`; null where a call had none (an unsettled call has no backend). */
  Partial<Readonly<UsageGroup>> & {
    /** Start of the interval; absent with interval=none. */
    readonly start?: string
  }

/**
 * Answers `{ from, to, groupBy, interval, limit, after }` as they came in the query string: `from` and `to` as dates or times (the
 * last 24 hours by default, `to` exclusive), `groupBy` a list of key, alias, model, operation, outcome, backend, deployment and
 * region, `interval` one of minute, hour, day, month and none (the default), `after` the `next` of the page before.
 *
 * Exact as of now for every settled call that the log holds: it rolls up first, at most once a second, and waits for that.
 * A query that is not valid is an `invalid_request` problem.
 */
export async function queryUsage(
  deps: { storage: StorageAccount; clock: Clock; rollUp: Pick<RollUp, 'run'> },
  scope: TenantScope,
  raw: Readonly<Record<string, string>>,
): Promise<UsageReport | Problem> {
  const query = parseUsageQuery(raw, deps.clock.now())
  if (query instanceof Problem) return query
  await deps.rollUp.run({ fresh: true })
  const { interval } = query
  const { total, rows, lastKey } = await sumUpPage(query, createUsageReader(deps).read(scope, query, widthOf(interval)))
  return {
    ...headOf(query),
    totals: figuresOf(total),
    rows: rows.map(rowOf),
    ...(lastKey === undefined ? {} : { next: writeCursor({ ...query, afterKey: lastKey }, query) }),
  }
}

export const headOf = ({ fromMs, toMs, interval, groupBy }: UsageQuery) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
  interval,
  groupBy,
})

export const figuresOf = ({ sums, sketches }: Pick<UsageSum, 'sums' | 'sketches'>): UsageFigures => ({
  ...sums,
  ...percentilesOf(sketches),
})

export const rowOf = ({ startMs, group, ...sum }: UsageSum): UsageReportRow => ({
  ...(startMs === undefined ? {} : { start: new Date(startMs).toISOString() }),
  ...group,
  ...figuresOf(sum),
})
