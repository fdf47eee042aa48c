import { assert } from '../../base/assert'
import { parseOperationId } from '../../base/ids'
import { Problem } from '../../base/problem'
import { undeployModel } from '../../hosting/deploy-model'
import { shownHosting } from '../../hosting/hosting-input'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelUndeploy = ({ registry, tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-undeploy',
  route: 'api/tenant/models/{modelId}/undeploy',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Takes the deployment of a tuned model away, and its alias; the model itself stays.',
      params: modelParams,
      answer: shownHosting,
      answerStatus: 202,
      problems: ['conflict'],
      newSubject: () => ids.operationId('hos'),
      run: async ({ caller, params: { modelId }, subject, orchestrations }) => {
        const operationId = parseOperationId(subject)
        assert(operationId, 'the subject is an operation')
        const asked = { modelId, operationId, by: caller.callerId }
        const begun = await undeployModel({ registry, tenants, orchestrations }, TenantScope.ofCaller(caller), asked)
        return begun instanceof Problem ? begun : accepted({ operationId: begun, modelId })
      },
    }),
  },
})
