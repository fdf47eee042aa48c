import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { notFound, ok } from '../http/plain-request'
import { tenantParams } from '../http/request-params'
import { TenantScope } from '../storage/tenant-scope'
import { tenantPatch } from '../tenants/tenant-input'
import { operatorTenant, operatorView, tenantEtag } from '../tenants/tenant-view'

export const platformTenant = ({ tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant',
  route: 'api/platform/tenants/{tenantId}',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Reads a tenant.',
      params: tenantParams,
      answer: operatorTenant,
      run: async ({ params }) => {
        const tenant = await tenants.get(TenantScope.ofPlatform(params.tenantId))
        return tenant ? ok(operatorView(tenant), { etag: tenantEtag(tenant) }) : notFound
      },
    }),
    PATCH: operatorEndpoint('platform.tenants.manage', {
      summary: 'Changes a tenant.',
      params: tenantParams,
      body: tenantPatch,
      answer: operatorTenant,
      needsIfMatch: true,
      run: async ({ params, body, ifMatch }) => {
        const tenant = await tenants.patch(TenantScope.ofPlatform(params.tenantId), body, ifMatch)
        return tenant instanceof Problem ? tenant : ok(operatorView(tenant), { etag: tenantEtag(tenant) })
      },
    }),
  },
})
