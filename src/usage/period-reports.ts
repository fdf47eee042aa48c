import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import type { UsageFigures } from './query-usage'
import { parsePeriod, type Period, type PeriodKind, type PeriodName } from './report-period'
import { fromUsageColumns, toUsageColumns, type UsageColumns } from './usage-columns'
import { reportTable } from './usage-tables'

/** What a tenant used in a day, a week or a month, written once it is over. Numbers and ids, as usage is. */
export interface PeriodReport extends PeriodReportHead {
  readonly totals: UsageFigures
  /** Of weeks and months. */
  readonly days: readonly (UsageFigures & { readonly start: string })[]
  /** The dearest ones; what the others used together stands in `others`, where there are any. */
  readonly aliases: PeriodShares
  readonly keys: PeriodShares
}

export interface PeriodShares {
  readonly rows: readonly (UsageFigures & { readonly name: string })[]
  readonly others: UsageFigures | null
}

export interface PeriodReportHead {
  readonly period: PeriodName
  readonly kind: PeriodKind
  readonly from: string
  /** Exclusive. */
  readonly to: string
  /** When the log was read for it. */
  readonly asOf: string
  /** False while what is known late (a batch's lines, a training) may still come; the report is written anew then. */
  readonly isFinal: boolean
}

export interface PeriodReports {
  get(scope: TenantScope, period: Period): Promise<PeriodReport | undefined>
  /** Unless there is one that is as final: what was read later stays. */
  put(scope: TenantScope, report: PeriodReport): Promise<void>
  /** Latest periods first. */
  list(
    scope: TenantScope,
    page: { kind: PeriodKind; before: PeriodName | undefined; limit: number },
  ): Promise<readonly PeriodReportHead[]>
}

/** All that is kept of a kind is read to list it: a report a day, for as long as the tenant is there, is 4,000 rows in ten years. */
const HEAD_COLUMNS = ['asOf', 'isFinal']

export function createPeriodReports(storage: StorageAccount): PeriodReports {
  const rows = tenantTable<UsageColumns>(storage.table(reportTable))
  return {
    get: async (scope, period) => {
      const row = await rows.get(scope, rowKeyOf(period.kind, period.name))
      return row && fromUsageColumns<PeriodReport>(row.columns)
    },
    put: async (scope, report) => {
      const rowKey = rowKeyOf(report.kind, report.period)
      const columns = toUsageColumns(report)
      if (!columns) throw new Error('a report with a bounded number of rows fits a row')
      const wanted = { ...columns, asOf: report.asOf, isFinal: report.isFinal }
      const found = await rows.get(scope, rowKey)
      if (!found) {
        // Who was faster has read the same log, or writes the final one.
        await rows.insert(scope, rowKey, wanted)
      } else if (report.isFinal && found.columns['isFinal'] !== true) {
        await rows.replace(scope, rowKey, wanted, found.etag)
      }
    },
    list: async (scope, { kind, before, limit }) => {
      const heads: PeriodReportHead[] = []
      const end = before === undefined ? `${kind}_~` : rowKeyOf(kind, before)
      for await (const { rowKey, columns } of rows.partition(scope).range(`${kind}_`, end, HEAD_COLUMNS)) {
        const period = parsePeriod(rowKey.slice(kind.length + 1))
        if (period) heads.push(headOf(period, columns))
        if (heads.length > limit) heads.shift()
      }
      return heads.toReversed()
    },
  }
}

const rowKeyOf = (kind: PeriodKind, name: PeriodName) => `${kind}_${name}`

const headOf = ({ name, kind, fromMs, toMs }: Period, columns: UsageColumns): PeriodReportHead => ({
  period: name,
  kind,
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
  asOf: String(columns['asOf']),
  isFinal: columns['isFinal'] === true,
})
