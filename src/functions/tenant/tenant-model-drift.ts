import { Problem } from '../../base/problem'
import { driftPolicyInput } from '../../drift/drift-input'
import { driftView, policyView, shownDrift, shownDriftPolicy } from '../../drift/drift-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'

export const tenantModelDrift = ({ modelDrift }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-drift',
  route: 'api/tenant/models/{modelId}/drift',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows, in numbers, how what a tuned model is asked differs from what it was trained on.',
      params: modelParams,
      answer: shownDrift,
      run: async ({ caller, params }) => {
        const facts = await modelDrift.show(caller, params.modelId)
        return facts ? ok(driftView(facts)) : notFound
      },
    }),
    PUT: tenantEndpoint('models.manage', {
      summary: 'Says what is done when a tuned model has drifted: a retraining is proposed, or started.',
      params: modelParams,
      body: driftPolicyInput,
      answer: shownDriftPolicy,
      problems: ['conflict'],
      run: async ({ caller, params, body }) => {
        const policy = await modelDrift.setPolicy(caller, params.modelId, body)
        if (policy instanceof Problem) return policy
        return policy ? ok({ retrain: policyView(policy) }) : notFound
      },
    }),
  },
})
