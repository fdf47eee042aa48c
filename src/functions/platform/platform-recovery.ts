import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { tenantPageQuery } from '../../http/request-params'
import { shownRecovery } from '../../recovery/recovery-status'

/** What would be lost with the first region, and of whom nothing is kept elsewhere. */
export const platformRecovery = ({ recovery }: ControlPlane): HttpTrigger => ({
  name: 'platform-recovery',
  route: 'api/platform/recovery',
  endpoints: {
    GET: operatorEndpoint('platform.recovery.read', {
      summary: 'Shows how far the replicas of tenants’ models and training data are, in all and page by page.',
      query: tenantPageQuery,
      answer: shownRecovery,
      run: async ({ query }) => ok(await recovery.status(query)),
    }),
  },
})
