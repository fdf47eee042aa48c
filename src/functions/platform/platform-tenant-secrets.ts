import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound } from '../../http/plain-request'
import { secretPageQuery, tenantParams } from '../../http/request-params'
import { tenantSecrets } from '../../http/tenant-secrets'
import { TenantScope } from '../../storage/tenant-scope'
import { shownSecrets } from '../../tenants/secret-input'

export const platformTenantSecrets = ({ secrets, tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-secrets',
  route: 'api/platform/tenants/{tenantId}/secrets',
  endpoints: {
    GET: operatorEndpoint('platform.secrets.manage', {
      summary: 'Lists the names of the credentials that a tenant handed over, page by page.',
      params: tenantParams,
      query: secretPageQuery,
      answer: shownSecrets,
      run: async ({ params, query }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        return (await tenants.get(scope)) ? tenantSecrets(secrets).list(scope, query) : notFound
      },
    }),
  },
})
