import { Problem } from '../base/problem'
import type { SlaReport } from '../sla/sla-report'
import { ok, type Answer } from './plain-request'
import { slaPage, slaPageHeaders } from './sla-page'

interface ReportForm {
  readonly format: 'json' | 'html' | undefined
  readonly accept: string
  /** For people: what the tenant is called today. */
  readonly tenantName: string
}

/** A month's report in the form that is asked for: by the query, or else by what the client takes. */
export function slaAnswer(report: SlaReport | Problem, { format, accept, tenantName }: ReportForm): Answer | Problem {
  if (report instanceof Problem) return report
  return wantsPage(format, accept)
    ? { status: 200, text: slaPage(report, tenantName), headers: slaPageHeaders }
    : ok(report)
}

/** Browsers name HTML and do not name JSON; programs that name both get what programs read. */
const wantsPage = (format: ReportForm['format'], accept: string): boolean =>
  format === undefined ? /\btext\/html\b/i.test(accept) && !/\bapplication\/json\b/i.test(accept) : format === 'html'
