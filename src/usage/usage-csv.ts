import type { UsageReportRow } from './query-usage'
import { percentileFields } from './usage-percentiles'
import type { Interval } from './usage-query'
import { sumFields } from './usage-sums'

/** Rows of usage as comma-separated values (RFC 4180), the names of the columns first: start, groups, sums, percentiles. */
export function usageCsv({
  rows,
  groupBy,
  interval,
}: {
  readonly rows: readonly (UsageReportRow & { readonly tenant?: string })[]
  readonly groupBy: readonly (keyof UsageReportRow | 'tenant')[]
  readonly interval: Interval
}): string {
  const columns = [...(interval === 'none' ? [] : ['start' as const]), ...groupBy, ...sumFields, ...percentileFields]
  return [columns.map(String), ...rows.map((row) => columns.map((column) => cell(row[column])))]
    .map((cells) => `${cells.join(',')}\r\n`)
    .join('')
}

/** Spreadsheets run what begins so as a formula, and an alias has a name that somebody else chose. */
const FORMULA = /^[=+\-@\t\r]/
const QUOTED = /[",\r\n]/

function cell(value: string | number | null | undefined): string {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value)
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
