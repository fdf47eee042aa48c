import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { anyQuery } from '../../http/request-params'
import { usageAnswer } from '../../http/usage-answer'
import { platformUsageQueryInput } from '../../usage/usage-query'
import { platformUsageReport } from '../../usage/usage-report'

export const platformUsage = ({ usageDesk }: ControlPlane): HttpTrigger => ({
  name: 'platform-usage',
  route: 'api/platform/usage',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Sums the usage of one tenant, or of all by tenant, as JSON or as comma-separated values.',
      query: anyQuery,
      shownQuery: platformUsageQueryInput,
      answer: platformUsageReport,
      run: async ({ query, accept }) =>
        usageAnswer(
          { query, accept },
          { json: () => usageDesk.ofPlatform(query), csv: () => usageDesk.platformCsv(query) },
        ),
    }),
  },
})
