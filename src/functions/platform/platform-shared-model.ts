import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { sharedModelParams } from '../../http/request-params'
import { sharedModelView, shownSharedModel } from '../../shared-models/shared-model-view'

export const platformSharedModel = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'platform-shared-model',
  route: 'api/platform/shared-models/{sharedModelId}',
  endpoints: {
    GET: operatorEndpoint('platform.shared.read', {
      summary: 'Shows a shared model: whose examples are in it, how many, by which consents, and who may be led to it.',
      params: sharedModelParams,
      answer: shownSharedModel,
      auditsReads: true,
      run: async ({ params }) => {
        const model = await sharedModels.models.get(params.sharedModelId)
        return model ? ok(sharedModelView(model)) : notFound
      },
    }),
  },
})
