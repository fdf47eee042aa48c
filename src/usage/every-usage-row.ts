import { Problem, ProblemError } from '../base/problem'
import type { UsageReport, UsageReportRow } from './query-usage'

/** All rows of a query, page by page. Throws where the query is not valid, which is its writer's defect. */
export async function* everyUsageRow(
  ask: (query: Readonly<Record<string, string>>) => Promise<UsageReport | Problem>,
  query: Readonly<Record<string, string>>,
): AsyncGenerator<UsageReportRow> {
  for (let after: string | undefined; ;) {
    const report = await ask(after === undefined ? query : { ...query, after })
    if (report instanceof Problem) throw new ProblemError(report)
    yield* report.rows
    if (report.next === undefined) return
    after = report.next
  }
}
