import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { sharedModelParams, tenantParams } from '../../http/request-params'
import { grantModel } from '../../shared-models/grants'
import { sharedModelView, shownSharedModel } from '../../shared-models/shared-model-view'

export const platformSharedModelGrants = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'platform-shared-model-grants',
  route: 'api/platform/shared-models/{sharedModelId}/grants',
  endpoints: {
    POST: operatorEndpoint('platform.shared.manage', {
      summary: 'Lets a tenant be led to a shared model that has no examples of its own.',
      params: sharedModelParams,
      body: z.strictObject(tenantParams.shape),
      answer: shownSharedModel,
      problems: ['conflict'],
      run: async ({ params, body }) => {
        const model = await grantModel(sharedModels, params.sharedModelId, body.tenantId)
        if (!model) return notFound
        return model instanceof Problem ? model : ok(sharedModelView(model))
      },
    }),
  },
})
