import type { Alerts } from '../alerts/alerts'
import type { TenantScope } from '../storage/tenant-scope'
import type { Delivery } from './delivery'
import { operatorsScope } from './outbox-rows'
import type { Subscription, SubscriptionId } from './subscription'

/** The alert of a subscription whose messages are given up: until one of them arrives, or nobody wants any. */
export interface Undelivered {
  /** A message arrived, or was given up. */
  ended(ended: {
    readonly owner: TenantScope
    readonly subscription: Subscription
    readonly delivery: Delivery
  }): Promise<void>
  /** The subscription is gone, and no message will ever say that all is well. */
  forgotten(owner: TenantScope, id: SubscriptionId): Promise<void>
}

export const createUndelivered = (alerts: Pick<Alerts, 'raise' | 'resolve'>): Undelivered => ({
  ended: async ({ owner, subscription, delivery }) => {
    const id = undeliveredAlertId(owner, subscription.id)
    if (delivery.state.kind !== 'dead') return alerts.resolve(id)
    const isTenants = !isOperators(owner)
    await alerts.raise({
      id,
      kind: 'notification-undelivered',
      severity: 'warning',
      tenantId: isTenants ? owner.tenantId : undefined,
      audience: isTenants ? 'tenant' : undefined,
      title: `Notifications of the subscription ${subscription.id} do not arrive`,
      detail: `A message by ${subscription.channel.kind} was given up: ${delivery.fault ?? 'no reason given'}. Mend its receiver and test it; operators see and resend what was given up at GET /api/platform/notifications/dead-letters.`,
    })
  },
  forgotten: (owner, id) => alerts.resolve(undeliveredAlertId(owner, id), 'The subscription is gone.'),
})

const isOperators = ({ tenantId }: TenantScope) => tenantId === operatorsScope.tenantId

/** With the tenant's id: the contacts of all tenants have one subscription's id. */
const undeliveredAlertId = (owner: TenantScope, id: SubscriptionId): string =>
  isOperators(owner) ? `notification-undelivered/${id}` : `notification-undelivered/${owner.tenantId}/${id}`
