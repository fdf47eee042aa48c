import { daysQuery } from '../../capacity/capacity-input'
import { outlookView, shownOutlook } from '../../capacity/capacity-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantForecast = ({ tenants, capacity }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-forecast',
  route: 'api/platform/tenants/{tenantId}/forecast',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'What is expected of a tenant’s use, and when its limits and budgets are reached.',
      params: tenantParams,
      query: daysQuery,
      answer: shownOutlook,
      run: async ({ params: { tenantId }, query: { days } }) => {
        if (!(await tenants.get(TenantScope.ofPlatform(tenantId)))) return notFound
        return ok(outlookView(await capacity.outlook({ kind: 'tenant', tenantId }), days))
      },
    }),
  },
})
