import { operatorsScope } from '../../src/notifications/outbox-rows'
import { noticesOf } from '../../src/notifications/tell-alerts'
import type { RaisedAlert } from '../../src/alerts/alerts'
import { aReceiver, idsIn, notificationWorld, type NotificationWorld, type Receiver } from './notification-world'

let world: NotificationWorld
let receiver: Receiver
beforeEach(async () => {
  world = await notificationWorld()
  receiver = await aReceiver()
})
afterEach(async () => {
  await world.close()
  await receiver.close()
})

const noisy: RaisedAlert = {
  id: 'backend-refuses/bke_1',
  kind: 'backend-refuses',
  severity: 'warning',
  tenantId: undefined,
  title: 'An account refuses',
  detail: 'a detail',
}
const webhook = (path: string) => ({ channel: { kind: 'webhook' as const, url: `${receiver.url}${path}` } })

it('an alert is told when it opens, gets worse, is mitigated and is over, and not while it is only seen again', async () => {
  await world.subscribe(operatorsScope, webhook('/operators'))
  for (const change of [
    () => world.alerts.raise(noisy),
    () => world.alerts.raise(noisy),
    () => world.alerts.acknowledge(noisy.id, { by: 'somebody' }),
    () => world.alerts.raise({ ...noisy, severity: 'critical' }),
    () => world.alerts.mitigate(noisy.id, 'held off'),
    () => world.alerts.raise(noisy),
    () => world.alerts.resolve(noisy.id, 'mended'),
    () => world.alerts.raise(noisy),
  ]) {
    await change()
    await world.clock.advance(1_000)
    await world.send()
  }
  expect(idsIn(receiver.received)).toEqual([
    'alert/backend-refuses/bke_1/1/opened/warning',
    'alert/backend-refuses/bke_1/1/worsened/critical',
    'alert/backend-refuses/bke_1/1/mitigated/critical',
    'alert/backend-refuses/bke_1/1/resolved/critical',
    'alert/backend-refuses/bke_1/2/opened/warning',
  ])
  expect(JSON.parse(receiver.received[3]?.body ?? '')).toMatchObject({
    type: 'backend-refuses',
    data: { title: 'Resolved: An account refuses', data: { state: 'resolved', episode: 1 } },
  })
})

it('an alert for a tenant’s people is told to them without the figures, and to operators with them', async () => {
  const tenant = await world.newTenant()
  await world.subscribe(operatorsScope, webhook('/operators'))
  await world.subscribe(tenant, webhook('/tenant'))
  const evidence = { victims: ['ten_other'] }
  await world.alerts.raise({ ...noisy, tenantId: tenant.tenantId, audience: 'tenant', evidence })
  await world.alerts.raise({ ...noisy, id: 'for/operators', tenantId: tenant.tenantId, evidence })
  await world.send()
  const bodies = (path: string) => receiver.received.filter(({ url }) => url === path).map(({ body }) => body)
  expect(bodies('/operators')).toHaveLength(2)
  expect(bodies('/operators').every((body) => body.includes('ten_other'))).toBe(true)
  expect(bodies('/tenant')).toHaveLength(1)
  expect(bodies('/tenant')[0]).not.toContain('ten_other')
})

it('an alert that was written by a process which then died is told by another, once', async () => {
  await world.subscribe(operatorsScope, webhook('/operators'))
  // Written, and nobody was woken.
  await world.alerts.raise(noisy)
  const [one, two] = [world.instance(), world.instance()]
  await Promise.all([one.send(), two.send()])
  await world.send()
  expect(receiver.received).toHaveLength(1)
})

it('what is over wakes nobody, however severe it was', () => {
  const alert = {
    ...noisy,
    severity: 'critical' as const,
    state: 'resolved' as const,
    episode: 1,
    raisedAt: 0,
    lastSeenAt: 0,
    timesSeen: 1,
    history: [],
  }
  expect(noticesOf({ alert, event: 'resolved', at: 0 })).toMatchObject([{ isOver: true, severity: 'critical' }])
  expect(noticesOf({ alert, event: 'worsened', at: 0 })).toMatchObject([{ isOver: false }])
})
