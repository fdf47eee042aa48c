import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { operatorsScope } from '../../notifications/outbox-rows'
import {
  newSubscriptionView,
  subscriptionsView,
  platformSubscriptionInput,
} from '../../notifications/subscription-input'
import { subscriptionAnswers } from '../subscription-answers'

const PATH = '/api/platform/notifications/subscriptions'

/** Who of the operators is told of what, and how. */
export const platformSubscriptions = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'platform-subscriptions',
    route: 'api/platform/notifications/subscriptions',
    endpoints: {
      GET: operatorEndpoint('platform.notifications.manage', {
        summary: 'Lists who is told of what: webhooks, mail, the Event Grid topic.',
        answer: subscriptionsView,
        run: () => subscriptionAnswers(deps, operatorsScope).list(),
      }),
      POST: operatorEndpoint('platform.notifications.manage', {
        summary:
          'Subscribes a webhook, addresses of mail or the Event Grid topic. A webhook’s secret is shown this once.',
        body: platformSubscriptionInput,
        answer: newSubscriptionView,
        problems: ['conflict'],
        newSubject: () => subscriptions.newId(),
        run: ({ body, subject }) => subscriptionAnswers(deps, operatorsScope).create(PATH, subject, body),
      }),
    },
  }
}
