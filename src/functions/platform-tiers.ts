import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/functions-adapter'
import { ok } from '../http/plain-request'
import { tiers } from '../tenants/tiers'

export const platformTiers = (_: ControlPlane): HttpTrigger => ({
  name: 'platform-tiers',
  route: 'api/platform/tiers',
  endpoints: {
    GET: operatorEndpoint({ run: async () => ok({ tiers: Object.values(tiers) }) }),
  },
})
