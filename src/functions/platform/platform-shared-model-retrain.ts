import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { sharedModelParams } from '../../http/request-params'
import { retrain } from '../../shared-models/objections'
import { sharedModelView, shownSharedModel } from '../../shared-models/shared-model-view'

export const platformSharedModelRetrain = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'platform-shared-model-retrain',
  route: 'api/platform/shared-models/{sharedModelId}/retrain',
  endpoints: {
    POST: operatorEndpoint('platform.shared.manage', {
      summary: 'Trains another model of the same order, of the tenants that consent now; it takes this one’s place.',
      params: sharedModelParams,
      answer: shownSharedModel,
      answerStatus: 202,
      problems: ['conflict'],
      run: async ({ operator, params }) => {
        const model = await sharedModels.models.get(params.sharedModelId)
        if (!model) return notFound
        if (model.state.kind !== 'ready')
          return new Problem('conflict', `A model that is ${model.state.kind} is not trained anew. Order another one.`)
        const successor = await retrain(sharedModels, model, operator.name)
        return successor instanceof Problem ? successor : accepted(sharedModelView(successor))
      },
    }),
  },
})
