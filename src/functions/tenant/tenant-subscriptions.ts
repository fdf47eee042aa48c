import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { newSubscriptionView, subscriptionsView, tenantSubscriptionInput } from '../../notifications/subscription-input'
import { TenantScope } from '../../storage/tenant-scope'
import { subscriptionAnswers } from '../subscription-answers'

const PATH = '/api/tenant/notifications/subscriptions'

/** Who of the tenant is told of what, and how. */
export const tenantSubscriptions = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'tenant-subscriptions',
    route: 'api/tenant/notifications/subscriptions',
    endpoints: {
      GET: tenantEndpoint('notifications.manage', {
        summary: 'Lists who is told of what: webhooks, mail.',
        answer: subscriptionsView,
        run: ({ caller }) => subscriptionAnswers(deps, TenantScope.ofCaller(caller)).list(),
      }),
      POST: tenantEndpoint('notifications.manage', {
        summary: 'Subscribes a webhook or addresses of mail. A webhook’s secret is shown this once.',
        body: tenantSubscriptionInput,
        answer: newSubscriptionView,
        problems: ['conflict'],
        newSubject: () => subscriptions.newId(),
        run: ({ caller, body, subject }) =>
          subscriptionAnswers(deps, TenantScope.ofCaller(caller)).create(PATH, subject, body),
      }),
    },
  }
}
