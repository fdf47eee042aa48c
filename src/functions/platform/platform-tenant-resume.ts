import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { operatorTenant, operatorView, tenantEtag } from '../../tenants/tenant-view'

export const platformTenantResume = ({ tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-resume',
  route: 'api/platform/tenants/{tenantId}/resume',
  endpoints: {
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Lets a suspended tenant work again.',
      params: tenantParams,
      answer: operatorTenant,
      run: async ({ params }) => {
        const tenant = await tenants.transition(TenantScope.ofPlatform(params.tenantId), 'resume')
        return tenant instanceof Problem ? tenant : ok(operatorView(tenant), { etag: tenantEtag(tenant) })
      },
    }),
  },
})
