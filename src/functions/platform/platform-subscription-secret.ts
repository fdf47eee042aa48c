import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { operatorsScope } from '../../notifications/outbox-rows'
import { newSubscriptionView, subscriptionParams } from '../../notifications/subscription-input'
import { subscriptionAnswers } from '../subscription-answers'

export const platformSubscriptionSecret = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'platform-subscription-secret',
    route: 'api/platform/notifications/subscriptions/{subscriptionId}/rotate-secret',
    endpoints: {
      POST: operatorEndpoint('platform.notifications.manage', {
        summary: 'Makes a new secret of a webhook; for a day the one before signs, too. It is shown this once.',
        params: subscriptionParams,
        answer: newSubscriptionView,
        problems: ['conflict'],
        run: ({ params }) => subscriptionAnswers(deps, operatorsScope).rotateSecret(params.subscriptionId),
      }),
    },
  }
}
