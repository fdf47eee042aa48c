import { Problem } from '../../base/problem'
import { deployModel } from '../../hosting/deploy-model'
import { deployInput, shownHosting } from '../../hosting/hosting-input'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { parseOperationId } from '../../base/ids'
import { assert } from '../../base/assert'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelDeploy = ({ registry, tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-deploy',
  route: 'api/tenant/models/{modelId}/deploy',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Deploys a tuned model, so that it answers under its name; one that sleeps is woken.',
      params: modelParams,
      body: deployInput,
      answer: shownHosting,
      answerStatus: 202,
      problems: ['conflict'],
      newSubject: () => ids.operationId('hos'),
      run: async ({ caller, params: { modelId }, body, subject, orchestrations }) => {
        const operationId = parseOperationId(subject)
        assert(operationId, 'the subject is an operation')
        const asked = { modelId, operationId, by: caller.callerId, wish: body }
        const begun = await deployModel({ registry, tenants, orchestrations }, TenantScope.ofCaller(caller), asked)
        return begun instanceof Problem ? begun : accepted({ operationId: begun, modelId })
      },
    }),
  },
})
