import { limitsReport } from '../../budgets/limits-report'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantLimits = ({ showLimits }: ControlPlane): HttpTrigger => ({
  name: 'tenant-limits',
  route: 'api/tenant/limits',
  endpoints: {
    GET: tenantEndpoint('usage.read', {
      summary: 'Shows every limit and budget of the tenant, its keys and aliases, and what is left of each.',
      answer: limitsReport,
      run: async ({ caller }) => {
        const report = await showLimits(TenantScope.ofCaller(caller))
        return report ? ok(report) : notFound
      },
    }),
  },
})
