import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { ok } from '../http/plain-request'
import { readinessView, showReadiness } from '../health/health-view'
import { isServing } from '../health/judge-readiness'
import { FRESH_MS } from '../health/readiness'

/** For balancers and probes: whether calls should come to the instance that is asked. */
export const healthReady = ({ health }: ControlPlane): HttpTrigger => ({
  name: 'health-ready',
  route: 'api/health/ready',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Tells whether the platform can serve; 503 with the same body where it cannot.',
      answer: readinessView,
      unready: readinessView,
      needsStorage: false,
      run: async () => {
        const view = await health.readiness.look()
        const body = showReadiness(view)
        if (isServing(view.state)) return ok(body)
        return { status: 503, body, headers: { 'retry-after': String(FRESH_MS / 1_000) } }
      },
    }),
  },
})
