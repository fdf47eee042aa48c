import type { Delivery } from '../../src/notifications/delivery'
import { outboxRowsIn } from '../../src/notifications/assemble-notifications'
import { deadRow, deliveryRow } from '../../src/notifications/outbox-rows'
import { parseSubscriptionId } from '../../src/notifications/subscription'
import { toJsonColumns } from '../../src/storage/json-columns'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { expectStatus } from '../functions/control-plane-fixtures'
import type { ControlPlaneServer } from '../functions/control-plane-server'

/** A tenant with a subscription, an alert that it is shown, and a message that was given up; their ids. Its data key must be there. */
export async function notifiedTenant(server: ControlPlaneServer, scope: TenantScope, apiKey: string) {
  const body = { name: 'on call', channel: { kind: 'webhook', url: 'https://hooks.example.com/a' } }
  const path = '/api/tenant/notifications/subscriptions'
  const made = expectStatus(await server.send('POST', path, { apiKey, body }), 201).body
  const alertId = `tuning-ended-${scope.tenantId}`
  await server.parts.controlPlane.alerts.raise({
    id: alertId,
    kind: 'tuning-ended',
    severity: 'notice',
    tenantId: scope.tenantId,
    audience: 'tenant',
    title: 'A job ended',
    detail: 'It completed.',
  })
  return { subscriptionId: String(made.id), alertId, deadLetterId: await deadLetter(server, scope, String(made.id)) }
}

async function deadLetter(
  { storage, clock }: ControlPlaneServer,
  scope: TenantScope,
  subscription: string,
): Promise<string> {
  const subscriptionId = parseSubscriptionId(subscription)
  if (!subscriptionId) throw new Error(`${subscription} is no subscription`)
  const at = clock.now()
  const delivery: Delivery = {
    id: `dlv_${'a'.repeat(40)}`,
    subscriptionId,
    notices: [],
    more: 0,
    state: { kind: 'dead', at },
    firstDueAt: at,
    dueAt: at,
    attempts: 12,
    fault: 'answered 500',
  }
  const { owned, index } = outboxRowsIn(storage)
  const id = deadRow(at, scope.tenantId, delivery.id)
  await owned.put(scope, deliveryRow(delivery.id), toJsonColumns(delivery))
  await index.put(id, {})
  return id
}
