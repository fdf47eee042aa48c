import { runView, shownRun } from '../../capacity/capacity-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'

export const platformCapacityRefresh = ({ capacity }: ControlPlane): HttpTrigger => ({
  name: 'platform-capacity-refresh',
  route: 'api/platform/capacity/refresh',
  endpoints: {
    POST: operatorEndpoint('platform.capacity.manage', {
      summary:
        'Forecasts anew, or goes on with what is under way, for a minute at most; call it again while the state is "running", or leave the rest to the timer.',
      answer: shownRun,
      run: async () => ok(runView(await capacity.refresh())),
    }),
  },
})
