import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { promotionView, shownPromotion } from '../../registry/model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelRollback = ({ registry, promotions }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-rollback',
  route: 'api/tenant/models/{modelId}/rollback',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Leads the aliases that were promoted to a tuned model last back to exactly what they were.',
      params: modelParams,
      answer: z.object({ promotions: z.array(shownPromotion) }),
      problems: ['conflict'],
      run: async ({ caller, params }) => {
        const scope = TenantScope.ofCaller(caller)
        if (!(await registry.get(scope, params.modelId))) return notFound
        const by = { by: caller.callerId, why: 'It was rolled back.' }
        const returned = await promotions.rollBack(scope, params.modelId, by)
        return returned instanceof Problem ? returned : ok({ promotions: returned.map(promotionView) })
      },
    }),
  },
})
