import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import type { RollUp } from './run-roll-up'
import { readUsage } from './read-usage'
import { intervalStart, parseUsageQuery, type Interval, type UsageQuery } from './usage-query'
import type { UsageColumns } from './usage-rows'
import { addSums, zeroSums, type GroupField, type GroupSums, type UsageGroup, type UsageSums } from './usage-sums'
import { usageTable } from './usage-tables'

/**
 * What a tenant used. Every call counts in the minute in which it came in; times are UTC, ISO 8601.
 * The rows add up to `totals`, field by field.
 */
export interface UsageReport {
  /** The span as it was counted: the asked one widened to whole minutes, or whole hours for times long past. */
  readonly from: string
  /** Exclusive. */
  readonly to: string
  readonly interval: Interval
  readonly groupBy: readonly GroupField[]
  readonly totals: Readonly<UsageSums>
  /** In order of time, then of the groups. One for every interval and group in which there was anything, no others. */
  readonly rows: readonly UsageReportRow[]
}

export type UsageReportRow = Readonly<UsageSums> &
  /** Only the fields that were asked for by `groupBy`; null where a call had none (an unsettled call has no backend). */
  Partial<Readonly<UsageGroup>> & {
    /** Start of the interval; absent with interval=none. */
    readonly start?: string
  }

/** Of one answer. */
const REPORT_ROWS_MAX = 10_000

/**
 * Answers `{ from, to, groupBy, interval }` as they came in the query string: `from` and `to` as dates or times (the last 24
 * hours by default, `to` exclusive), `groupBy` a list of key, alias, model, operation, outcome, backend, deployment and
 * region, `interval` one of minute, hour, day, month and none (the default).
 *
 * Exact as of now for every settled call that the log holds: it rolls up first, at most once a second, and waits for that.
 * A query that is not valid, or whose answer would have more than REPORT_ROWS_MAX rows, is an `invalid_request` problem.
 */
export async function queryUsage(
  deps: { storage: StorageAccount; clock: Clock; rollUp: Pick<RollUp, 'run'> },
  scope: TenantScope,
  raw: Readonly<Record<string, string>>,
): Promise<UsageReport | Problem> {
  const query = parseUsageQuery(raw, deps.clock.now())
  if (query instanceof Problem) return query
  await deps.rollUp.run({ fresh: true })
  const rows = tenantTable<UsageColumns>(deps.storage.table(usageTable)).partition(scope)
  const sums = await sumUp(query, readUsage(rows, query))
  return sums instanceof Problem ? sums : reportOf(query, sums)
}

interface Sum {
  readonly startMs: number | undefined
  readonly group: Partial<UsageGroup>
  readonly sums: UsageSums
}

async function sumUp(
  query: UsageQuery,
  usage: AsyncIterable<{ startMs: number; groups: readonly GroupSums[] }>,
): Promise<Sum[] | Problem> {
  const rows = new Map<string, Sum>()
  for await (const { startMs, groups } of usage) {
    const start = intervalStart(query.interval, startMs)
    for (const { group, sums } of groups) {
      const key = JSON.stringify([start, ...query.groupBy.map((field) => group[field])])
      let row = rows.get(key)
      if (!row) rows.set(key, (row = { startMs: start, group: pick(group, query.groupBy), sums: zeroSums() }))
      if (rows.size > REPORT_ROWS_MAX) return tooManyRows(query)
      addSums(row.sums, sums)
    }
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

function reportOf({ fromMs, toMs, interval, groupBy }: UsageQuery, sums: readonly Sum[]): UsageReport {
  const totals = zeroSums()
  for (const row of sums) addSums(totals, row.sums)
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    interval,
    groupBy,
    totals,
    rows: sums.map(({ startMs, group, sums }) => ({
      ...(startMs === undefined ? {} : { start: new Date(startMs).toISOString() }),
      ...group,
      ...sums,
    })),
  }
}

const pick = (group: UsageGroup, fields: readonly GroupField[]): Partial<UsageGroup> =>
  Object.fromEntries(fields.map((field) => [field, group[field]]))

function tooManyRows({ interval, groupBy }: UsageQuery): Problem {
  const [param, advice] =
    interval === 'none'
      ? ['groupBy', 'Group by fewer fields']
      : ['interval', 'Take a longer interval or a shorter span']
  return new Problem(
    'invalid_request',
    `${param}: The answer would have more than ${REPORT_ROWS_MAX} rows. ${advice}.`,
    {
      param,
      internal: `interval ${interval}, grouped by ${groupBy.join(',')}`,
    },
  )
}
