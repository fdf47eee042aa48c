import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { operatorsScope } from '../../notifications/outbox-rows'
import { subscriptionParams, subscriptionView, platformSubscriptionInput } from '../../notifications/subscription-input'
import { subscriptionAnswers } from '../subscription-answers'

export const platformSubscription = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'platform-subscription',
    route: 'api/platform/notifications/subscriptions/{subscriptionId}',
    endpoints: {
      GET: operatorEndpoint('platform.notifications.manage', {
        summary: 'Shows a subscription, without its secrets.',
        params: subscriptionParams,
        answer: subscriptionView,
        run: ({ params }) => subscriptionAnswers(deps, operatorsScope).get(params.subscriptionId),
      }),
      PUT: operatorEndpoint('platform.notifications.manage', {
        summary: 'Replaces everything of a subscription but its secrets and the kind of its channel.',
        params: subscriptionParams,
        body: platformSubscriptionInput,
        answer: subscriptionView,
        problems: ['conflict'],
        run: ({ params, body }) => subscriptionAnswers(deps, operatorsScope).replace(params.subscriptionId, body),
      }),
      DELETE: operatorEndpoint('platform.notifications.manage', {
        summary: 'Ends a subscription; what waits for it is dropped.',
        params: subscriptionParams,
        run: ({ params }) => subscriptionAnswers(deps, operatorsScope).remove(params.subscriptionId),
      }),
    },
  }
}
