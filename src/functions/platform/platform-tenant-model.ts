import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound } from '../../http/plain-request'
import { modelParams, tenantParams } from '../../http/request-params'
import { tenantModelsOf } from '../../http/tenant-models'
import { shownModel } from '../../registry/model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantModel = ({ registry, tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-model',
  route: 'api/platform/tenants/{tenantId}/models/{modelId}',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Shows one of a tenant’s tuned models.',
      params: tenantParams.extend(modelParams.shape),
      answer: shownModel,
      run: async ({ params }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        return (await tenants.get(scope)) ? tenantModelsOf(registry).get(scope, params.modelId) : notFound
      },
    }),
  },
})
