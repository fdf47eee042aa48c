import { TenantScope } from '../../../src/storage/tenant-scope'
import type { Baseline, Exception } from './baselines'
import { expectStatus } from '../control-plane-fixtures'
import type { World } from './world'

const none = { subscriptionId: `sub_${'0'.repeat(26)}` }
const noSubscription: Baseline = { params: () => none, answers: { status: 404, says: /nothing here/ } }
const noAlert: Baseline = {
  params: () => ({ alertId: 'no-such-alert' }),
  answers: { status: 404, says: /nothing here/ },
}

const rest = {
  name: 'on call',
  kinds: ['budget-refusing'],
  severityMin: 'warning',
  timeZone: 'Europe/Berlin',
  quietHours: { from: '22:00', to: '07:00' },
  digest: { kind: 'daily', at: '08:00' },
  criticalWaits: true,
}
const webhook = { ...rest, channel: { kind: 'webhook', url: 'https://hooks.example.com/tenantry' } }
const email = { ...rest, digest: { kind: 'hourly' }, channel: { kind: 'email', to: ['on-call@example.com'] } }
const eventGrid = { ...rest, channel: { kind: 'event-grid' } }

const rules: readonly Exception[] = [
  // The trials' further addresses are no addresses.
  { field: /\.to$/, what: /of 5/, status: 400, says: /Must be an e-mail address/ },
  { field: /^timeZone$/, status: 400, says: /Must be a time zone/ },
  { field: /\.url$/, status: 400, says: /Must begin with https|Must be an address|Must be a public address/ },
]

/** Each trial that is taken makes one, and there are only so many. */
async function removeSubscriptions({ server, tenantId, apiKey }: World): Promise<void> {
  const { keyring } = server.parts
  const scope = TenantScope.ofPlatform(tenantId)
  if ((await keyring.versions(scope)).length === 0) await keyring.create(scope)
  for (const [path, credential] of [
    ['/api/platform/notifications/subscriptions', undefined],
    ['/api/tenant/notifications/subscriptions', apiKey],
  ] as const) {
    const listed =
      credential === undefined ? await server.operate('GET', path) : await server.send('GET', path, { apiKey })
    for (const { id } of expectStatus(listed, 200).body.subscriptions) {
      const own = `${path}/${id}`
      await (credential === undefined ? server.operate('DELETE', own) : server.send('DELETE', own, { apiKey }))
    }
  }
}

export const notificationBaselines: Readonly<Record<string, Baseline>> = {
  'GET /api/platform/alerts/{alertId}': noAlert,
  'POST /api/platform/alerts/{alertId}/acknowledge': { ...noAlert, bodies: () => [{ note: 'looking' }] },
  'POST /api/platform/alerts/{alertId}/resolve': { ...noAlert, bodies: () => [{ note: 'mended' }] },
  'POST /api/platform/notifications/subscriptions': {
    prepare: removeSubscriptions,
    bodies: () => [webhook, email, eventGrid],
    exceptions: rules,
  },
  'GET /api/platform/notifications/subscriptions/{subscriptionId}': noSubscription,
  'PUT /api/platform/notifications/subscriptions/{subscriptionId}': {
    ...noSubscription,
    bodies: () => [webhook, email, eventGrid],
    exceptions: rules,
  },
  'DELETE /api/platform/notifications/subscriptions/{subscriptionId}': noSubscription,
  'POST /api/platform/notifications/subscriptions/{subscriptionId}/test': noSubscription,
  'POST /api/platform/notifications/subscriptions/{subscriptionId}/rotate-secret': noSubscription,
  'POST /api/platform/notifications/dead-letters/{deadLetterId}/resend': {
    params: ({ tenantId }) => ({ deadLetterId: `dead-${'0'.repeat(13)}-${tenantId}-dlv_${'0'.repeat(40)}` }),
    answers: { status: 404, says: /nothing here/ },
  },
  'POST /api/tenant/notifications/subscriptions': {
    prepare: removeSubscriptions,
    bodies: () => [webhook, email],
    exceptions: rules,
  },
  'GET /api/tenant/notifications/subscriptions/{subscriptionId}': noSubscription,
  'PUT /api/tenant/notifications/subscriptions/{subscriptionId}': {
    ...noSubscription,
    bodies: () => [webhook, email],
    exceptions: rules,
  },
  'DELETE /api/tenant/notifications/subscriptions/{subscriptionId}': noSubscription,
  'POST /api/tenant/notifications/subscriptions/{subscriptionId}/test': noSubscription,
  'POST /api/tenant/notifications/subscriptions/{subscriptionId}/rotate-secret': noSubscription,
}
