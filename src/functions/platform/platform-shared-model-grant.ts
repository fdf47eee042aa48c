import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { grantParams } from '../../http/request-params'
import { revokeGrant } from '../../shared-models/grants'
import { sharedModelView, shownSharedModel } from '../../shared-models/shared-model-view'

export const platformSharedModelGrant = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'platform-shared-model-grant',
  route: 'api/platform/shared-models/{sharedModelId}/grants/{tenantId}',
  endpoints: {
    DELETE: operatorEndpoint('platform.shared.manage', {
      summary: 'Takes a grant back, and leads the tenant’s aliases to what they were. Contributors keep the model.',
      params: grantParams,
      answer: shownSharedModel,
      run: async ({ params: { sharedModelId, tenantId } }) => {
        const model = await revokeGrant(sharedModels, sharedModelId, tenantId)
        if (!model) return notFound
        return model instanceof Problem ? model : ok(sharedModelView(model))
      },
    }),
  },
})
