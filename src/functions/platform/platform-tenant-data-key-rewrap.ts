import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

/** After the wrapping key was rotated: nothing that is sealed changes. */
export const platformTenantDataKeyRewrap = ({ keyring }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-data-key-rewrap',
  route: 'api/platform/tenants/{tenantId}/data-key/rewrap',
  endpoints: {
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Wraps a tenant’s data key anew under the wrapping key’s current version.',
      params: tenantParams,
      run: async ({ params }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        if ((await keyring.versions(scope)).length === 0) return notFound
        await keyring.rewrap(scope)
        return noContent
      },
    }),
  },
})
