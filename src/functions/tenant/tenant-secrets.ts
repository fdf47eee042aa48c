import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { secretPageQuery } from '../../http/request-params'
import { tenantSecrets as secretsOf } from '../../http/tenant-secrets'
import { TenantScope } from '../../storage/tenant-scope'
import { shownSecrets } from '../../tenants/secret-input'

export const tenantSecrets = ({ secrets }: ControlPlane): HttpTrigger => ({
  name: 'tenant-secrets',
  route: 'api/tenant/secrets',
  endpoints: {
    GET: tenantEndpoint('secrets.manage', {
      summary: 'Lists the names of the credentials that the tenant handed over, page by page.',
      query: secretPageQuery,
      answer: shownSecrets,
      run: ({ caller, query }) => secretsOf(secrets).list(TenantScope.ofCaller(caller), query),
    }),
  },
})
