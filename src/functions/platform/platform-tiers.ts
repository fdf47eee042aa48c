import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { ok } from '../../http/plain-request'
import { tierPageQuery } from '../../http/request-params'
import { shownTier, tiers } from '../../tenants/tiers'

export const platformTiers = (_: ControlPlane): HttpTrigger => ({
  name: 'platform-tiers',
  route: 'api/platform/tiers',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      // Shows nothing of a tenant's own.
      auditsReads: false,
      summary: 'Lists the tiers and their limits, page by page.',
      query: tierPageQuery,
      answer: z.object({ tiers: z.array(shownTier), next: z.string().optional() }),
      run: async ({ query }) => {
        const { shown, next } = pageOf(Object.values(tiers), ({ name }) => name, query)
        return ok({ tiers: shown, next })
      },
    }),
  },
})
