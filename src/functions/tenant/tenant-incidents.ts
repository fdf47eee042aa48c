import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { tenantIncidentPageQuery } from '../../http/sla-params'
import { shownIncident } from '../../sla/sla-report'
import { incidentView } from '../../sla/sla-view'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantIncidents = ({ sla }: ControlPlane): HttpTrigger => ({
  name: 'tenant-incidents',
  route: 'api/tenant/incidents',
  endpoints: {
    GET: tenantEndpoint('sla.read', {
      summary: 'Lists times in which an objective of the tenant’s was broken, the newest first, page by page.',
      query: tenantIncidentPageQuery,
      answer: z.object({ incidents: z.array(shownIncident), next: z.string().optional() }),
      run: async ({ caller, query: { limit, after } }) => {
        const found = await sla.store.incidents(TenantScope.ofCaller(caller), { after, limit: limit + 1 })
        const shown = found.slice(0, limit)
        return ok({ incidents: shown.map(incidentView), next: found.length > limit ? shown.at(-1)?.id : undefined })
      },
    }),
  },
})
