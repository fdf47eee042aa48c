import type { SpentByLog } from '../budgets/true-up'
import { nothing, type Amount } from '../budgets/amount'
import { Problem, ProblemError } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { UsageReport, UsageReportRow } from './query-usage'
import { everyUsageRow } from './every-usage-row'
import type { UsageSums } from './usage-sums'

type QueryUsage = (scope: TenantScope, query: Readonly<Record<string, string>>) => Promise<UsageReport | Problem>

/**
 * What budgets count, from the usage log's sums: prompt, hedged and output tokens, and what the price book makes of them.
 * Calls that a crash cut short have no tokens in the log, and so none here.
 */
export function createSpentByLog(queryUsage: QueryUsage): SpentByLog {
  return async (scope, subject, { fromMs, toMs }) => {
    const span = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
    if (subject.kind === 'tenant') {
      // Its totals are whole on every page, and without groups there is one row.
      const usage = await queryUsage(scope, span)
      if (usage instanceof Problem) throw new ProblemError(usage)
      return spentBy(usage.totals)
    }
    const isIt = (row: UsageReportRow) =>
      subject.kind === 'key' ? row.key === subject.keyId : row.alias === subject.alias
    const query = { ...span, groupBy: subject.kind }
    for await (const row of everyUsageRow((asked) => queryUsage(scope, asked), query))
      if (isIt(row)) return spentBy(row)
    return nothing
  }
}

/** The same sum that `RunningCall.end` settles a reservation with. */
const spentBy = ({ promptTokens, hedgedTokens, outputTokens, costMicroUsd }: Readonly<UsageSums>): Amount => ({
  tokens: promptTokens + hedgedTokens + outputTokens,
  microUsd: costMicroUsd,
})
