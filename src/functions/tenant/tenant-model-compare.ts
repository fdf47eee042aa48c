import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { compareModels } from '../../registry/compare-models'
import { comparisonView, shownComparison } from '../../registry/model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelCompare = ({ registry }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-compare',
  route: 'api/tenant/models/{modelId}/compare',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows two tuned models side by side: what their trainings said, and what the same held-out set did.',
      params: modelParams,
      query: z.strictObject({ with: modelParams.shape.modelId }),
      answer: shownComparison,
      run: async ({ caller, params, query }) => {
        const scope = TenantScope.ofCaller(caller)
        const [model, other] = await Promise.all([registry.get(scope, params.modelId), registry.get(scope, query.with)])
        return model && other ? ok(comparisonView(model, other, compareModels(model, other))) : notFound
      },
    }),
  },
})
