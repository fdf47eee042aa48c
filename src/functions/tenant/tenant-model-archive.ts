import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { archiveModel } from '../../registry/archive-model'
import { modelView, shownModel } from '../../registry/model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelArchive = ({ registry, clock }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-archive',
  route: 'api/tenant/models/{modelId}/archive',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Puts a tuned model that is not deployed out of the way; nothing of it is deleted.',
      params: modelParams,
      answer: shownModel,
      problems: ['conflict'],
      run: async ({ caller, params }) => {
        const asked = { modelId: params.modelId, by: caller.callerId }
        const model = await archiveModel({ registry, clock }, TenantScope.ofCaller(caller), asked)
        return model instanceof Problem ? model : ok(modelView(model))
      },
    }),
  },
})
