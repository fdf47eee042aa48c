import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { incidentPageQuery } from '../../http/sla-params'
import { shownIncident } from '../../sla/sla-report'
import { incidentView } from '../../sla/sla-view'

export const platformIncidents = ({ sla }: ControlPlane): HttpTrigger => ({
  name: 'platform-incidents',
  route: 'api/platform/incidents',
  endpoints: {
    GET: operatorEndpoint('platform.sla.read', {
      summary: 'Lists incidents of every tenant, the newest first, page by page.',
      query: incidentPageQuery,
      answer: z.object({ incidents: z.array(shownIncident), next: z.string().optional() }),
      auditsReads: true,
      run: async ({ query: { limit, after, state, tenant, kind } }) => {
        const { incidents, next } = await sla.incidents.page({ limit, after, state, tenantId: tenant, kind })
        return ok({ incidents: incidents.map(incidentView), next })
      },
    }),
  },
})
