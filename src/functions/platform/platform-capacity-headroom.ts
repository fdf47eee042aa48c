import { headroomQuery } from '../../capacity/capacity-input'
import { headroomView, shownHeadroom } from '../../capacity/planning-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'

export const platformCapacityHeadroom = ({ capacity }: ControlPlane): HttpTrigger => ({
  name: 'platform-capacity-headroom',
  route: 'api/platform/capacity/headroom',
  endpoints: {
    GET: operatorEndpoint('platform.capacity.read', {
      summary:
        'What the shared deployments of a model have free, less what tenants being onboarded want, and how many more tenants fit.',
      query: headroomQuery,
      answer: shownHeadroom,
      run: async ({ query: { model, region }, orchestrations }) => {
        const wanted = { model, region }
        return ok(headroomView(await capacity.headroom(wanted, await orchestrations.running()), wanted))
      },
    }),
  },
})
