import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { tenantSecrets as secretsOf } from '../../http/tenant-secrets'
import { TenantScope } from '../../storage/tenant-scope'
import { secretInput, secretParams } from '../../tenants/secret-input'

export const tenantSecret = ({ secrets }: ControlPlane): HttpTrigger => ({
  name: 'tenant-secret',
  route: 'api/tenant/secrets/{name}',
  endpoints: {
    PUT: tenantEndpoint('secrets.manage', {
      summary: 'Hands over a credential, such as the API key of the tenant’s own account, or a new one in its place.',
      params: secretParams,
      body: secretInput,
      problems: ['conflict'],
      run: ({ caller, params, body }) => secretsOf(secrets).put(TenantScope.ofCaller(caller), params.name, body.value),
    }),
    DELETE: tenantEndpoint('secrets.manage', {
      summary: 'Takes a credential back; calls by it fail within 30 s.',
      params: secretParams,
      problems: ['provisioning_refused'],
      run: ({ caller, params }) => secretsOf(secrets).remove(TenantScope.ofCaller(caller), params.name),
    }),
  },
})
