import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { slaAnswer } from '../../http/sla-answer'
import { slaPageHeaders } from '../../http/sla-page'
import { slaReportQuery } from '../../http/sla-params'
import { shownReport } from '../../sla/sla-report'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantSlaReport = ({ sla, tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-sla-report',
  route: 'api/platform/tenants/{tenantId}/sla-report',
  endpoints: {
    GET: operatorEndpoint('platform.sla.read', {
      summary: 'Shows a month’s report of a tenant’s objectives, as JSON or as a page.',
      params: tenantParams,
      query: slaReportQuery,
      answer: shownReport,
      answerType: slaPageHeaders['content-type'],
      auditsReads: true,
      run: async ({ params: { tenantId }, query: { month, format }, accept }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        const tenant = await tenants.get(scope)
        if (!tenant) return notFound
        const tenantName = tenant.displayName
        return slaAnswer(await sla.reports.of(scope, month), { format, accept, tenantName })
      },
    }),
  },
})
