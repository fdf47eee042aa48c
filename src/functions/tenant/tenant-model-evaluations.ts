import { evaluationView, shownEvaluations } from '../../evaluation/evaluation-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelEvaluations = ({ registry, evaluations }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-evaluations',
  route: 'api/tenant/models/{modelId}/evaluations',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Lists the evaluations of a tuned model, the newest first: under way, over and failed.',
      params: modelParams,
      answer: shownEvaluations,
      run: async ({ caller, params: { modelId } }) => {
        const scope = TenantScope.ofCaller(caller)
        const model = await registry.get(scope, modelId)
        if (!model) return notFound
        const runs = await evaluations.list(scope, modelId)
        const found = new Map(model.evaluations.map((each) => [each.id, each]))
        return ok({ evaluations: runs.map((run) => evaluationView(run, found.get(run.id))) })
      },
    }),
  },
})
