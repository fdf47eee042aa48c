import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { operatorsScope } from '../../notifications/outbox-rows'
import { subscriptionParams, testView } from '../../notifications/subscription-input'
import { subscriptionAnswers } from '../subscription-answers'

export const platformSubscriptionTest = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'platform-subscription-test',
    route: 'api/platform/notifications/subscriptions/{subscriptionId}/test',
    endpoints: {
      POST: operatorEndpoint('platform.notifications.manage', {
        summary: 'Sends a test message at once and says what came of it.',
        params: subscriptionParams,
        answer: testView,
        problems: ['rate_limit_exceeded'],
        run: ({ params }) => subscriptionAnswers(deps, operatorsScope).test(params.subscriptionId),
      }),
    },
  }
}
