import { assert } from '../../base/assert'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, ok } from '../../http/plain-request'
import { sharedModelPageQuery } from '../../http/request-params'
import { parseSharedModelId, type SharedModel } from '../../shared-models/shared-model'
import { sharedModelView, shownSharedModel, shownSharedModels } from '../../shared-models/shared-model-view'
import { sharedModelInput, startSharedModel } from '../../shared-models/start-shared-model'

export const platformSharedModels = ({ sharedModels, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-shared-models',
  route: 'api/platform/shared-models',
  endpoints: {
    GET: operatorEndpoint('platform.shared.read', {
      summary: 'Lists shared models, the oldest first, page by page.',
      query: sharedModelPageQuery,
      answer: shownSharedModels,
      auditsReads: true,
      run: async ({ query: { after, limit, affected, state } }) => {
        const isWanted = (model: SharedModel) =>
          (affected === undefined || (model.affected !== undefined) === (affected === 'true')) &&
          (state === undefined || model.state.kind === state)
        const found: SharedModel[] = []
        for await (const model of sharedModels.models.list(after))
          if (isWanted(model) && found.push(model) > limit) break
        const shown = found.slice(0, limit)
        const next = found.length > limit ? shown.at(-1)?.id : undefined
        return ok({ sharedModels: shown.map(sharedModelView), ...(next === undefined ? {} : { next }) })
      },
    }),
    POST: operatorEndpoint('platform.shared.manage', {
      summary:
        'Trains a model on examples of the tenants that consent to a purpose, with what identifies anybody removed.',
      body: sharedModelInput,
      answer: shownSharedModel,
      answerStatus: 202,
      problems: ['too_few_consents', 'conflict'],
      newSubject: () => ids.operationId('shm'),
      run: async ({ operator, body, subject }) => {
        const id = parseSharedModelId(subject)
        assert(id, 'newSubject makes the id of a shared model')
        const model = await startSharedModel(sharedModels, { id, by: operator.name, input: body })
        return model instanceof Problem ? model : accepted(sharedModelView(model))
      },
    }),
  },
})
