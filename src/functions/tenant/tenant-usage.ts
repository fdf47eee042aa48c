import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { anyQuery } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { usageQueryInput } from '../../usage/usage-query'
import { usageReport } from '../../usage/usage-report'

export const tenantUsage = ({ queryUsage }: ControlPlane): HttpTrigger => ({
  name: 'tenant-usage',
  route: 'api/tenant/usage',
  endpoints: {
    GET: tenantEndpoint('usage.read', {
      summary: 'Sums the tenant’s usage.',
      query: anyQuery,
      shownQuery: usageQueryInput,
      answer: usageReport,
      run: async ({ caller, query }) => {
        const usage = await queryUsage(TenantScope.ofCaller(caller), query)
        return usage instanceof Problem ? usage : ok(usage)
      },
    }),
  },
})
