import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound } from '../../http/plain-request'
import { maintenanceParams } from '../../http/sla-params'

export const platformMaintenanceWindow = ({ sla }: ControlPlane): HttpTrigger => ({
  name: 'platform-maintenance-window',
  route: 'api/platform/maintenance/{maintenanceId}',
  endpoints: {
    DELETE: operatorEndpoint('platform.sla.manage', {
      summary: 'Takes back a maintenance that has not begun; one that has ends with this hour.',
      params: maintenanceParams,
      problems: ['conflict'],
      run: async ({ params: { maintenanceId } }) => {
        const ended = await sla.maintenances.end(maintenanceId)
        if (ended instanceof Problem) return ended
        return ended ? noContent : notFound
      },
    }),
  },
})
