import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { sharedModelParams } from '../../http/request-params'
import { noSharedModel } from '../../shared-models/adoptions'
import { TenantScope } from '../../storage/tenant-scope'
import { aliasName } from '../../tenants/tenant-input'

export const tenantSharedModelAliases = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'tenant-shared-model-aliases',
  route: 'api/tenant/shared-models/{sharedModelId}/aliases',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Leads an alias of the tenant to a shared model, or makes one of this name that leads there.',
      params: sharedModelParams,
      body: z.strictObject({ alias: aliasName }),
      answer: z.object({ alias: z.string(), sharedModelId: z.string() }),
      problems: ['conflict'],
      run: async ({ caller, params, body }) => {
        const model = await sharedModels.models.get(params.sharedModelId)
        if (!model) return noSharedModel
        const led = await sharedModels.adoptions.lead(TenantScope.ofCaller(caller), model, body.alias)
        return led instanceof Problem ? led : ok({ alias: led.alias, sharedModelId: led.modelId })
      },
    }),
  },
})
