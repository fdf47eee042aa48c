import { Problem } from '../base/problem'
import type { UsageTable } from '../usage/usage-desk'
import { ok, type Answer } from './plain-request'

const CSV = 'text/csv; charset=utf-8'

/** The same usage as JSON, or as comma-separated values where the query or else the `Accept` header asks for them. */
export async function usageAnswer(
  { query, accept }: { query: Readonly<Record<string, string>>; accept: string },
  forms: { json: () => Promise<object | Problem>; csv: () => Promise<UsageTable | Problem> },
): Promise<Answer | Problem> {
  const isCsv = query['format'] === undefined ? /^\s*text\/csv\b/i.test(accept) : query['format'] === 'csv'
  if (!isCsv) {
    const report = await forms.json()
    return report instanceof Problem ? report : ok(report)
  }
  const table = await forms.csv()
  if (table instanceof Problem) return table
  return {
    status: 200,
    text: table.text,
    headers: {
      'content-type': CSV,
      'x-content-type-options': 'nosniff',
      'content-disposition': 'attachment; filename="usage.csv"',
      ...(table.next === undefined ? {} : { link: nextLink(query, table.next) }),
    },
  }
}

/** RFC 8288, relative to what was asked for. */
function nextLink(query: Readonly<Record<string, string>>, next: string): string {
  const parameters = new URLSearchParams({ ...query, format: 'csv', after: next })
  return `<?${parameters.toString()}>; rel="next"`
}
