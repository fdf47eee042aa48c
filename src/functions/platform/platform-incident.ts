import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { incidentParams } from '../../http/sla-params'
import { shownIncident } from '../../sla/sla-report'
import { incidentView } from '../../sla/sla-view'
import { TenantScope } from '../../storage/tenant-scope'

export const platformIncident = ({ sla }: ControlPlane): HttpTrigger => ({
  name: 'platform-incident',
  route: 'api/platform/incidents/{incidentId}',
  endpoints: {
    GET: operatorEndpoint('platform.sla.read', {
      summary: 'Shows an incident with its evidence.',
      params: incidentParams,
      answer: shownIncident,
      auditsReads: true,
      run: async ({ params: { incidentId } }) => {
        const listed = await sla.incidents.get(incidentId)
        if (!listed) return notFound
        // As its tenant has it: while it is open that is newer than the list.
        const own = await sla.store.incident(TenantScope.ofPlatform(listed.tenantId), incidentId)
        return ok(incidentView(own ?? listed))
      },
    }),
  },
})
