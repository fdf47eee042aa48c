import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { modelParams } from '../../http/request-params'
import { restoreModel } from '../../registry/archive-model'
import { modelView, shownModel } from '../../registry/model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantModelRestore = ({ registry, clock }: ControlPlane): HttpTrigger => ({
  name: 'tenant-model-restore',
  route: 'api/tenant/models/{modelId}/restore',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Takes a tuned model back from the archive.',
      params: modelParams,
      answer: shownModel,

      run: async ({ caller, params }) => {
        const asked = { modelId: params.modelId, by: caller.callerId }
        const model = await restoreModel({ registry, clock }, TenantScope.ofCaller(caller), asked)
        return model instanceof Problem ? model : ok(modelView(model))
      },
    }),
  },
})
