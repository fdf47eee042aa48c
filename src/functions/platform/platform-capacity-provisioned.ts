import { adviceQuery } from '../../capacity/capacity-input'
import { originOf, poolKeyOf, poolView, shownAdvice } from '../../capacity/planning-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { pageOf } from '../../http/page-of'
import { ok } from '../../http/plain-request'

export const platformCapacityProvisioned = ({ capacity }: ControlPlane): HttpTrigger => ({
  name: 'platform-capacity-provisioned',
  route: 'api/platform/capacity/provisioned',
  endpoints: {
    GET: operatorEndpoint('platform.capacity.read', {
      summary:
        'How many units of provisioned throughput would cost least for what each model serves, against pay-as-you-go.',
      query: adviceQuery,
      answer: shownAdvice,
      run: async ({ query: { model, region, reach, ...page } }) => {
        const [terms, pools] = await Promise.all([capacity.terms(), capacity.advice({ model, region }, reach)])
        const { shown, next } = pageOf(pools, poolKeyOf, page)
        return ok({ ...originOf(terms?.value), reach, pools: shown.map(poolView), next })
      },
    }),
  },
})
