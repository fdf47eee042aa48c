import { auditPage } from '../../audit/audit-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { auditPageQuery } from '../../http/request-params'

export const platformAudit = ({ audit }: ControlPlane): HttpTrigger => ({
  name: 'platform-audit',
  route: 'api/platform/audit',
  endpoints: {
    GET: operatorEndpoint('platform.audit.read', {
      summary: 'Reads who did what with the platform itself, the oldest first.',
      query: auditPageQuery,
      answer: auditPage.schema,
      run: async ({ query }) => ok(await auditPage.read(audit, 'platform', query)),
    }),
  },
})
