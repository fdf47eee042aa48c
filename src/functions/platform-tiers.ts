import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { ok } from '../http/plain-request'
import { tiers } from '../tenants/tiers'

export const platformTiers = (_: ControlPlane): HttpTrigger => ({
  name: 'platform-tiers',
  route: 'api/platform/tiers',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      // Shows nothing of a tenant's own.
      auditsReads: false,
      summary: 'Lists the tiers and their limits.',
      run: async () => ok({ tiers: Object.values(tiers) }),
    }),
  },
})
