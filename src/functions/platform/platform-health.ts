import { instanceHealthView, showInstanceHealth } from '../../health/health-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'

/** How the instance stands that answers, in detail; 200 however that is. */
export const platformHealth = ({ health, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-health',
  route: 'api/platform/health',
  endpoints: {
    GET: operatorEndpoint('platform.health.read', {
      summary: 'Shows how the instance that answers stands: its parts, and the backends in trouble.',
      answer: instanceHealthView,
      run: async () => ok(showInstanceHealth(await health.show(), clock)),
    }),
  },
})
