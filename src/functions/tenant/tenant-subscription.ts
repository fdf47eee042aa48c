import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { subscriptionParams, subscriptionView, tenantSubscriptionInput } from '../../notifications/subscription-input'
import { TenantScope } from '../../storage/tenant-scope'
import { subscriptionAnswers } from '../subscription-answers'

export const tenantSubscription = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'tenant-subscription',
    route: 'api/tenant/notifications/subscriptions/{subscriptionId}',
    endpoints: {
      GET: tenantEndpoint('notifications.manage', {
        summary: 'Shows a subscription, without its secrets.',
        params: subscriptionParams,
        answer: subscriptionView,
        run: ({ caller, params }) => subscriptionAnswers(deps, TenantScope.ofCaller(caller)).get(params.subscriptionId),
      }),
      PUT: tenantEndpoint('notifications.manage', {
        summary: 'Replaces everything of a subscription but its secrets and the kind of its channel.',
        params: subscriptionParams,
        body: tenantSubscriptionInput,
        answer: subscriptionView,
        problems: ['conflict'],
        run: ({ caller, params, body }) =>
          subscriptionAnswers(deps, TenantScope.ofCaller(caller)).replace(params.subscriptionId, body),
      }),
      DELETE: tenantEndpoint('notifications.manage', {
        summary: 'Ends a subscription; what waits for it is dropped.',
        params: subscriptionParams,
        run: ({ caller, params }) =>
          subscriptionAnswers(deps, TenantScope.ofCaller(caller)).remove(params.subscriptionId),
      }),
    },
  }
}
