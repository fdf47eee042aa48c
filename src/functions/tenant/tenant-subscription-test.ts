import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { subscriptionParams, testView } from '../../notifications/subscription-input'
import { TenantScope } from '../../storage/tenant-scope'
import { subscriptionAnswers } from '../subscription-answers'

export const tenantSubscriptionTest = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'tenant-subscription-test',
    route: 'api/tenant/notifications/subscriptions/{subscriptionId}/test',
    endpoints: {
      POST: tenantEndpoint('notifications.manage', {
        summary: 'Sends a test message at once and says what came of it.',
        params: subscriptionParams,
        answer: testView,
        problems: ['rate_limit_exceeded'],
        run: ({ caller, params }) =>
          subscriptionAnswers(deps, TenantScope.ofCaller(caller)).test(params.subscriptionId),
      }),
    },
  }
}
