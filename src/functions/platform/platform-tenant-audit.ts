import { auditPage } from '../../audit/audit-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { auditPageQuery, tenantParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantAudit = ({ audit, tenants }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-audit',
  route: 'api/platform/tenants/{tenantId}/audit',
  endpoints: {
    GET: operatorEndpoint('platform.audit.read', {
      summary: 'Reads who did what with a tenant and its data, the oldest first.',
      params: tenantParams,
      query: auditPageQuery,
      answer: auditPage.schema,
      run: async ({ params, query }) => {
        const scope = TenantScope.ofPlatform(params.tenantId)
        return (await tenants.get(scope)) ? ok(await auditPage.read(audit, scope, query)) : notFound
      },
    }),
  },
})
