import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'
import { ownTenantPatch } from '../../tenants/tenant-input'
import { ownTenant, tenantEtag, tenantView } from '../../tenants/tenant-view'

export const tenant = ({ tenants }: ControlPlane): HttpTrigger => ({
  name: 'tenant',
  route: 'api/tenant',
  endpoints: {
    GET: tenantEndpoint('tenant.read', {
      summary: 'Reads the tenant’s own profile.',
      answer: ownTenant,
      run: async ({ caller }) => {
        const own = await tenants.get(TenantScope.ofCaller(caller))
        return own ? ok(tenantView(own), { etag: tenantEtag(own) }) : notFound
      },
    }),
    PATCH: tenantEndpoint('tenant.update', {
      summary: 'Changes the tenant’s own settings.',
      body: ownTenantPatch,
      answer: ownTenant,
      needsIfMatch: true,
      run: async ({ caller, body, ifMatch }) => {
        const own = await tenants.patch(TenantScope.ofCaller(caller), body, ifMatch)
        return own instanceof Problem ? own : ok(tenantView(own), { etag: tenantEtag(own) })
      },
    }),
  },
})
