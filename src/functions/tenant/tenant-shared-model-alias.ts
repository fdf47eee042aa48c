import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent } from '../../http/plain-request'
import { sharedAliasParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantSharedModelAlias = ({ sharedModels }: ControlPlane): HttpTrigger => ({
  name: 'tenant-shared-model-alias',
  route: 'api/tenant/shared-models/{sharedModelId}/aliases/{alias}',
  endpoints: {
    DELETE: tenantEndpoint('models.manage', {
      summary: 'Leads an alias back from a shared model to what it was before; one that was made for it goes.',
      params: sharedAliasParams,
      run: async ({ caller, params: { sharedModelId, alias } }) =>
        (await sharedModels.adoptions.release(TenantScope.ofCaller(caller), sharedModelId, alias)) ?? noContent,
    }),
  },
})
