import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { modelParams } from '../../http/request-params'
import { tenantModelsOf } from '../../http/tenant-models'
import { shownModel } from '../../registry/model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModel = ({ registry }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model',
  route: 'api/tenant/models/{modelId}',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows a tuned model: where it comes from, what it scored, where it is deployed and what led to it.',
      params: modelParams,
      answer: shownModel,
      run: ({ caller, params }) => tenantModelsOf(registry).get(TenantScope.ofCaller(caller), params.modelId),
    }),
  },
})
