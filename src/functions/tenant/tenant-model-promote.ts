import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { promotionView, shownPromotion } from '../../registry/model-view'
import { promoteModel } from '../../registry/promote-model'
import { promotionInput } from '../../registry/promotion-input'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelPromote = ({ promotions, ids }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-promote',
  route: 'api/tenant/models/{modelId}/promote',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Leads one of the tenant’s aliases to a tuned model, at once or by rising shares of its calls.',
      params: modelParams,
      body: promotionInput,
      answer: shownPromotion,
      answerStatus: 202,
      problems: ['conflict'],
      newSubject: () => ids.operationId('prm'),
      run: async ({ caller, params, body, subject, orchestrations }) => {
        const asked = { modelId: params.modelId, input: body, operationId: subject, by: caller.callerId }
        const begun = await promoteModel({ promotions, orchestrations }, TenantScope.ofCaller(caller), asked)
        return begun instanceof Problem ? begun : accepted(promotionView(begun))
      },
    }),
  },
})
