import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { slaAnswer } from '../../http/sla-answer'
import { slaPageHeaders } from '../../http/sla-page'
import { slaReportQuery } from '../../http/sla-params'
import { shownReport } from '../../sla/sla-report'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantSla = ({ sla }: ControlPlane): HttpTrigger => ({
  name: 'tenant-sla',
  route: 'api/tenant/sla',
  endpoints: {
    GET: tenantEndpoint('sla.read', {
      summary: 'Shows a month’s report of the tenant’s objectives, as JSON or as a page.',
      query: slaReportQuery,
      answer: shownReport,
      answerType: slaPageHeaders['content-type'],
      run: async ({ caller, query: { month, format }, accept }) =>
        slaAnswer(await sla.reports.of(TenantScope.ofCaller(caller), month), { format, accept }),
    }),
  },
})
