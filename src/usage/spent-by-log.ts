import type { SpentByLog } from '../budgets/true-up'
import { nothing } from '../budgets/amount'
import { Problem, ProblemError } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { UsageReport } from './query-usage'

type QueryUsage = (scope: TenantScope, query: Readonly<Record<string, string>>) => Promise<UsageReport | Problem>

/**
 * What budgets count, from the usage log's sums: prompt, hedged and output tokens, and what the price book makes of them.
 * Calls that a crash cut short have no tokens in the log, and so none here.
 */
export function createSpentByLog(queryUsage: QueryUsage): SpentByLog {
  return async (scope, subject, { fromMs, toMs }) => {
    const groupBy = subject.kind === 'tenant' ? '' : subject.kind
    const span = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
    const usage = await queryUsage(scope, { ...span, groupBy })
    if (usage instanceof Problem) throw new ProblemError(usage)
    const sums =
      subject.kind === 'tenant'
        ? usage.totals
        : usage.rows.find((row) => (subject.kind === 'key' ? row.key === subject.keyId : row.alias === subject.alias))
    if (!sums) return nothing
    // The same sum that `RunningCall.end` settles a reservation with.
    return { tokens: sums.promptTokens + sums.hedgedTokens + sums.outputTokens, microUsd: sums.costMicroUsd }
  }
}
