import { auditPage } from '../../audit/audit-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { auditPageQuery } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantAudit = ({ audit }: ControlPlane): HttpTrigger => ({
  name: 'tenant-audit',
  route: 'api/tenant/audit',
  endpoints: {
    GET: tenantEndpoint('audit.read', {
      summary: 'Reads who did what with the tenant and its data, the oldest first.',
      query: auditPageQuery,
      answer: auditPage.schema,
      run: async ({ caller, query }) => ok(await auditPage.read(audit, TenantScope.ofCaller(caller), query)),
    }),
  },
})
