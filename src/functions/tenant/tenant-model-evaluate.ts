import { Problem } from '../../base/problem'
import { parseEvaluationId } from '../../base/ids'
import { assert } from '../../base/assert'
import { stageCallerOf } from '../../evaluation/caller-of'
import { evaluateModel } from '../../evaluation/evaluate-model'
import { evaluationInput, evaluationWishOf } from '../../evaluation/evaluation-input'
import { evaluationView, shownEvaluation } from '../../evaluation/evaluation-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelEvaluate = ({ evaluations, ids }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-evaluate',
  route: 'api/tenant/models/{modelId}/evaluate',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary:
        'Puts the same held-out examples to a tuned model and to its base; `evaluations/{id}` shows how far it is.',
      params: modelParams,
      body: evaluationInput,
      answer: shownEvaluation,
      answerStatus: 202,
      problems: ['conflict', 'tenant_not_active'],
      newSubject: () => ids.operationId('evl'),
      run: async ({ caller, params, body, subject, orchestrations }) => {
        const id = parseEvaluationId(subject)
        assert(id !== undefined, 'what is created has an id of its kind')
        const order = { id, modelId: params.modelId, wish: evaluationWishOf(body), by: stageCallerOf(caller) }
        const begun = await evaluateModel({ evaluations, orchestrations }, TenantScope.ofCaller(caller), order)
        return begun instanceof Problem ? begun : accepted(evaluationView(begun, undefined))
      },
    }),
  },
})
