import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { operatorTenant, operatorView, tenantEtag } from '../../tenants/tenant-view'

export const platformTenantSuspend = ({ tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-suspend',
  route: 'api/platform/tenants/{tenantId}/suspend',
  endpoints: {
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Refuses a tenant’s calls until it is resumed.',
      params: tenantParams,
      answer: operatorTenant,
      run: async ({ params }) => {
        const tenant = await tenants.transition(TenantScope.ofPlatform(params.tenantId), 'suspend')
        return tenant instanceof Problem ? tenant : ok(operatorView(tenant), { etag: tenantEtag(tenant) })
      },
    }),
  },
})
