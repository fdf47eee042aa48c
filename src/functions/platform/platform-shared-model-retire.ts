import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { sharedModelParams } from '../../http/request-params'
import { beginRetirement } from '../../shared-models/retirement'
import { sharedModelView, shownSharedModel } from '../../shared-models/shared-model-view'

export const platformSharedModelRetire = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'platform-shared-model-retire',
  route: 'api/platform/shared-models/{sharedModelId}/retire',
  endpoints: {
    POST: operatorEndpoint('platform.shared.manage', {
      summary: 'Leads every alias back from a shared model, then deletes it at the provider and here.',
      params: sharedModelParams,
      answer: shownSharedModel,
      answerStatus: 202,
      problems: ['conflict'],
      run: async ({ params: { sharedModelId } }) => {
        const model = await sharedModels.models.get(sharedModelId)
        if (!model) return notFound
        const retiring = await beginRetirement(sharedModels, sharedModelId, 'operator')
        if (retiring) return accepted(sharedModelView(retiring))
        return new Problem('conflict', `A model that is ${model.state.kind} cannot be retired.`)
      },
    }),
  },
})
