import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { anyQuery } from '../../http/request-params'
import { usageAnswer } from '../../http/usage-answer'
import { TenantScope } from '../../storage/tenant-scope'
import { usageQueryInput } from '../../usage/usage-query'
import { usageReport } from '../../usage/usage-report'

export const tenantUsage = ({ queryUsage, usageDesk }: ControlPlane): HttpTrigger => ({
  name: 'tenant-usage',
  route: 'api/tenant/usage',
  endpoints: {
    GET: tenantEndpoint('usage.read', {
      summary: 'Sums the tenant’s usage, as JSON or as comma-separated values.',
      query: anyQuery,
      shownQuery: usageQueryInput,
      answer: usageReport,
      run: async ({ caller, query, accept }) => {
        const scope = TenantScope.ofCaller(caller)
        return usageAnswer(
          { query, accept },
          { json: () => queryUsage(scope, query), csv: () => usageDesk.csv(scope, query) },
        )
      },
    }),
  },
})
