import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { offeredModels } from '../../shared-models/offered-models'
import { shownOfferedModel } from '../../shared-models/shared-model-view'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantSharedModels = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'tenant-shared-models',
  route: 'api/tenant/shared-models',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Lists the shared models that this tenant may be led to, and its aliases that lead there.',
      answer: z.object({ sharedModels: z.array(shownOfferedModel) }),
      run: async ({ caller }) => ok({ sharedModels: await offeredModels(sharedModels, TenantScope.ofCaller(caller)) }),
    }),
  },
})
