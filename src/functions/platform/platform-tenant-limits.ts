import { limitsReport } from '../../budgets/limits-report'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantLimits = ({ showLimits }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-limits',
  route: 'api/platform/tenants/{tenantId}/limits',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Shows every limit and budget of a tenant, its keys and aliases, and what is left of each.',
      params: tenantParams,
      answer: limitsReport,
      run: async ({ params }) => {
        const report = await showLimits(TenantScope.ofPlatform(params.tenantId))
        return report ? ok(report) : notFound
      },
    }),
  },
})
