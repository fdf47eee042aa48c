import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound } from '../../http/plain-request'
import { modelPageQuery, tenantParams } from '../../http/request-params'
import { shownModels, tenantModelsOf } from '../../http/tenant-models'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantModels = ({ registry, tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-models',
  route: 'api/platform/tenants/{tenantId}/models',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Lists a tenant’s tuned models, the oldest first, page by page.',
      params: tenantParams,
      query: modelPageQuery,
      answer: shownModels,
      run: async ({ params, query }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        return (await tenants.get(scope)) ? tenantModelsOf(registry).list(scope, query) : notFound
      },
    }),
  },
})
