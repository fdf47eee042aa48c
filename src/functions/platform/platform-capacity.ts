import { z } from 'zod'
import { capacityPageQuery } from '../../capacity/capacity-input'
import { rankedView, shownRanked, shownRun, runView } from '../../capacity/capacity-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { namedSubjects } from '../../http/named-subjects'
import { ok } from '../../http/plain-request'

/** Deployments and tenants whose limits are nearest, and what was looked at last. */
export const platformCapacity = (controlPlane: ControlPlane): HttpTrigger => ({
  name: 'platform-capacity',
  route: 'api/platform/capacity',
  endpoints: {
    GET: operatorEndpoint('platform.capacity.read', {
      summary: 'Lists tenants and deployments whose limits are expected to be reached first, page by page.',
      query: capacityPageQuery,
      answer: z.object({ run: shownRun.optional(), capacity: z.array(shownRanked), next: z.string().optional() }),
      run: async ({ query }) => {
        const { capacity } = controlPlane
        const [run, { shown, next }] = await Promise.all([capacity.lastRun(), capacity.page(query)])
        const named = await namedSubjects(controlPlane, shown)
        return ok({ ...(run && { run: runView(run) }), capacity: named.map(rankedView), next })
      },
    }),
  },
})
