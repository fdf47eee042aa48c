import { requirePermission } from '../../access/permissions'
import { evaluationView, shownEvaluation, withAnswers } from '../../evaluation/evaluation-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { evaluationParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelEvaluation = ({ registry, evaluations }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-evaluation',
  route: 'api/tenant/models/{modelId}/evaluations/{evaluationId}',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows how far an evaluation is, what it found, and the answers that were asked to be kept.',
      params: evaluationParams,
      answer: shownEvaluation,
      run: async ({ caller, params: { modelId, evaluationId: id } }) => {
        const scope = TenantScope.ofCaller(caller)
        const [model, run] = await Promise.all([registry.get(scope, modelId), evaluations.get(scope, { modelId, id })])
        if (!model || !run) return notFound
        const shown = evaluationView(
          run,
          model.evaluations.find((each) => each.id === id),
        )
        // Scores are for whoever reads models; what was asked and answered is content.
        const mayRead = requirePermission(caller, 'models.manage') === undefined
        return ok(withAnswers(shown, mayRead ? await evaluations.answers(scope, id) : []))
      },
    }),
  },
})
