import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound } from '../../http/plain-request'
import { slaAnswer } from '../../http/sla-answer'
import { slaPageHeaders } from '../../http/sla-page'
import { slaReportQuery } from '../../http/sla-params'
import { shownReport } from '../../sla/sla-report'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantSla = ({ sla, tenants }: ControlPlane): HttpTrigger => ({
  name: 'tenant-sla',
  route: 'api/tenant/sla',
  endpoints: {
    GET: tenantEndpoint('sla.read', {
      summary: 'Shows a month’s report of the tenant’s objectives, as JSON or as a page.',
      query: slaReportQuery,
      answer: shownReport,
      answerType: slaPageHeaders['content-type'],
      run: async ({ caller, query: { month, format }, accept }) => {
        const scope = TenantScope.ofCaller(caller)
        const tenant = await tenants.get(scope)
        if (!tenant) return notFound
        const tenantName = tenant.displayName
        return slaAnswer(await sla.reports.of(scope, month), { format, accept, tenantName })
      },
    }),
  },
})
