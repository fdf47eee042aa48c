import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { newSubscriptionView, subscriptionParams } from '../../notifications/subscription-input'
import { TenantScope } from '../../storage/tenant-scope'
import { subscriptionAnswers } from '../subscription-answers'

export const tenantSubscriptionSecret = ({ subscriptions, clock }: ControlPlane): HttpTrigger => {
  const deps = { desk: subscriptions, clock }
  return {
    name: 'tenant-subscription-secret',
    route: 'api/tenant/notifications/subscriptions/{subscriptionId}/rotate-secret',
    endpoints: {
      POST: tenantEndpoint('notifications.manage', {
        summary: 'Makes a new secret of a webhook; for a day the one before signs, too. It is shown this once.',
        params: subscriptionParams,
        answer: newSubscriptionView,
        problems: ['conflict'],
        run: ({ caller, params }) =>
          subscriptionAnswers(deps, TenantScope.ofCaller(caller)).rotateSecret(params.subscriptionId),
      }),
    },
  }
}
