import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent } from '../../http/plain-request'
import { keyParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantKey = ({ keys }: ControlPlane): HttpTrigger => ({
  name: 'tenant-key',
  route: 'api/tenant/keys/{keyId}',
  endpoints: {
    DELETE: tenantEndpoint('keys.manage', {
      summary: 'Revokes a key.',
      params: keyParams,
      run: async ({ caller, params }) => {
        const revoked = await keys.revoke(TenantScope.ofCaller(caller), params.keyId)
        return revoked instanceof Problem ? revoked : noContent
      },
    }),
  },
})
