import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { modelPageQuery } from '../../http/request-params'
import { shownModels, tenantModelsOf } from '../../http/tenant-models'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModels = ({ registry }: ControlPlane): HttpTrigger => ({
  name: 'tenant-models',
  route: 'api/tenant/models',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Lists the tenant’s tuned models, the oldest first, page by page.',
      query: modelPageQuery,
      answer: shownModels,
      run: ({ caller, query }) => tenantModelsOf(registry).list(TenantScope.ofCaller(caller), query),
    }),
  },
})
