import { operatorsScope } from '../../src/notifications/outbox-rows'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { aReceiver, notificationWorld, type NotificationWorld, type Receiver } from './notification-world'

/** What the Azure services are sent, by the formats that they document, and what their answers come to. */
let azure: Receiver
let world: NotificationWorld
const MINUTE_MS = 60_000

beforeEach(async () => {
  azure = await aReceiver()
  world = await notificationWorld({
    mail: { endpoint: azure.url, sender: 'DoNotReply@mail.example' },
    eventGridTopicUrl: `${azure.url}/api/events`,
  })
})
afterEach(async () => {
  await world.close()
  await azure.close()
})

const states = async () => (await world.deliveries()).map(({ state }) => state.kind)
const mail = { channel: { kind: 'email' as const, to: ['ann@example.com', 'bob@example.com'] } }

describe('a mail', () => {
  it('is handed to Communication Services by the app’s identity, and asked for until it has arrived', async () => {
    await world.subscribe(operatorsScope, mail)
    let status = 'Running'
    azure.answer(({ method }) =>
      method === 'POST'
        ? { status: 202, headers: { 'retry-after': '60' }, body: { id: 'an-operation', status: 'NotStarted' } }
        : { status: 200, headers: { 'retry-after': '120' }, body: { id: 'an-operation', status } },
    )
    await world.publish('r/1', { severity: 'critical' })
    await world.send()
    expect(azure.received).toHaveLength(1)
    const [sent] = azure.received
    expect(sent).toMatchObject({
      method: 'POST',
      url: '/emails:send?api-version=2023-03-31',
      headers: {
        authorization: 'Bearer a-token-for https://communication.azure.com/.default',
        'content-type': 'application/json',
        'operation-id': expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
      },
    })
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      senderAddress: 'DoNotReply@mail.example',
      recipients: { to: [{ address: 'ann@example.com' }, { address: 'bob@example.com' }] },
      content: { subject: '[critical] title of r/1', plainText: '[critical] title of r/1\n\ntext of r/1' },
      userEngagementTrackingDisabled: true,
    })
    expect(await states()).toEqual(['waiting'])
    await world.clock.advance(MINUTE_MS)
    await world.send()
    expect(azure.received[1]).toMatchObject({
      method: 'GET',
      url: '/emails/operations/an-operation?api-version=2023-03-31',
    })
    // Not known yet: looked at again when the service says, and no attempt to send it.
    await world.clock.advance(MINUTE_MS)
    await world.send()
    expect(azure.received).toHaveLength(2)
    status = 'Succeeded'
    await world.clock.advance(MINUTE_MS)
    await world.send()
    expect(await world.deliveries()).toMatchObject([{ state: { kind: 'delivered' }, attempts: 1 }])
  })

  it('that does not arrive is a dead letter which says why', async () => {
    await world.subscribe(operatorsScope, mail)
    azure.answer(({ method }) =>
      method === 'POST'
        ? { status: 202, body: { id: 'an-operation', status: 'Running' } }
        : {
            status: 200,
            body: { id: 'an-operation', status: 'Failed', error: { code: 'EmailDropped', message: 'secret' } },
          },
    )
    await world.publish('r/1')
    await world.send()
    await world.clock.advance(MINUTE_MS)
    await world.send()
    const [letter] = await world.deadLetters.page({ after: undefined, limit: 10 })
    expect(letter?.delivery.fault).toBe('the mail was not delivered (EmailDropped)')
  })

  it('whose answer was lost is asked for, not sent twice', async () => {
    await world.subscribe(operatorsScope, mail)
    azure.answer(({ method }) =>
      method === 'POST'
        ? { status: 409, body: { error: { code: 'Conflict' } } }
        : { status: 200, body: { status: 'Succeeded' } },
    )
    await world.publish('r/1')
    await world.send()
    await world.clock.advance(MINUTE_MS)
    await world.send()
    const id = String(azure.received[0]?.headers['operation-id'])
    expect(azure.received[1]?.url).toBe(`/emails/operations/${id}?api-version=2023-03-31`)
    expect(await states()).toEqual(['delivered'])
  })

  it('that was given up and is sent anew is another one to the service, which knows the first', async () => {
    await world.subscribe(operatorsScope, mail)
    const operations = new Map<string, string>()
    let ends = 'Failed'
    // As the service does it: an operation's id stands for one mail for good.
    azure.answer(({ method, url, headers }) => {
      const id = method === 'POST' ? String(headers['operation-id']) : (/operations\/([\w-]+)/.exec(url)?.[1] ?? '')
      if (method === 'POST' && operations.has(id)) return { status: 409, body: { error: { code: 'Conflict' } } }
      if (method === 'POST') operations.set(id, ends)
      return { status: method === 'POST' ? 202 : 200, body: { id, status: operations.get(id) ?? 'NotFound' } }
    })
    await world.publish('r/1')
    await world.send()
    const [letter] = await world.deadLetters.page({ after: undefined, limit: 10 })
    expect(letter?.delivery).toMatchObject({ notices: [expect.any(String)], state: { kind: 'dead' } })
    ends = 'Succeeded'
    await world.clock.advance(MINUTE_MS)
    expect(await world.deadLetters.resend(letter?.id ?? '')).toBe(true)
    for (let looks = 0; looks < 2; looks++) {
      await world.send()
      await world.clock.advance(MINUTE_MS)
    }
    const again = (await world.deliveries()).find(({ id }) => id === letter?.delivery.id)
    expect(again).toMatchObject({ state: { kind: 'delivered' } })
  })

  it.each([
    [429, 'waiting'],
    [401, 'waiting'],
    [503, 'waiting'],
    [400, 'dead'],
  ])('that is answered with %d is %s', async (status, state) => {
    await world.subscribe(operatorsScope, mail)
    azure.answer(() => ({ status, headers: { 'retry-after': '600' }, body: { error: { code: 'ACode' } } }))
    await world.publish('r/1')
    await world.send()
    const [delivery] = await world.deliveries()
    expect(delivery).toMatchObject({ state: { kind: state }, fault: `the mail service answered ${status} (ACode)` })
    if (state === 'waiting') expect(delivery?.dueAt).toBe(world.clock.now() + 600_000)
  })

  it('goes to the contact of a tenant that has subscribed nothing, for what matters', async () => {
    const tenant = await world.newTenant()
    azure.answer(() => ({ status: 202, body: { status: 'Succeeded' } }))
    await world.receivers.put(tenant, { email: 'contact@example.com' })
    const of = { audience: 'tenant', tenantId: tenant.tenantId } as const
    await world.publish('t/1', of)
    await world.publish('t/2', { ...of, severity: 'notice' })
    await world.send()
    expect(azure.received.map(({ body }) => JSON.parse(body).recipients.to)).toEqual([
      [{ address: 'contact@example.com' }],
    ])
    // Who subscribes anything is told by that alone.
    await world.subscribe(tenant, { ...mail, kinds: [] })
    await world.publish('t/3', of)
    await world.send()
    expect(azure.received).toHaveLength(1)
  })

  it('that a tenant’s contact does not get is an alert of that tenant, whatever other contacts get', async () => {
    const tenants = [await world.newTenant(), await world.newTenant()] as const
    const alertOf = ({ tenantId }: TenantScope) =>
      world.alerts.get(`notification-undelivered/${tenantId}/sub_${'0'.repeat(26)}`)
    const [lost, reached] = tenants
    azure.answer(({ body }) =>
      body.includes('lost@') ? { status: 400 } : { status: 202, body: { status: 'Succeeded' } },
    )
    await world.receivers.put(lost, { email: 'lost@example.com' })
    await world.receivers.put(reached, { email: 'reached@example.com' })
    for (const { tenantId } of tenants) {
      await world.publish(`t/${tenantId}`, { audience: 'tenant', tenantId })
      await world.send()
    }
    expect(await alertOf(lost)).toMatchObject({ state: 'open', tenantId: lost.tenantId })
    expect(await alertOf(reached)).toBeUndefined()
    // Its contact is told nothing any more, so that nothing else would ever end it.
    await world.subscribe(lost, mail)
    expect(await alertOf(lost)).toMatchObject({ state: 'resolved' })
  })
})

it('an event goes to the topic as a CloudEvent, by the app’s identity', async () => {
  await world.subscribe(operatorsScope, { channel: { kind: 'event-grid' } })
  await world.publish('alert/a/1', { kind: 'recovery-lag', data: { figure: 1 } })
  await world.send()
  const [sent] = azure.received
  expect(sent).toMatchObject({
    method: 'POST',
    url: '/api/events?api-version=2018-01-01',
    headers: {
      authorization: 'Bearer a-token-for https://eventgrid.azure.net/.default',
      'content-type': 'application/cloudevents+json; charset=utf-8',
    },
  })
  expect(JSON.parse(sent?.body ?? '')).toEqual({
    specversion: '1.0',
    id: expect.stringMatching(/^dlv_[0-9a-f]{40}$/),
    source: 'https://platform.example',
    type: 'tenantry.recovery-lag',
    subject: 'alert/a/1',
    time: new Date(world.clock.now()).toISOString(),
    datacontenttype: 'application/json',
    data: {
      id: 'alert/a/1',
      kind: 'recovery-lag',
      severity: 'warning',
      title: 'title of alert/a/1',
      text: 'text of alert/a/1',
      data: { figure: 1 },
    },
  })
  expect(await states()).toEqual(['delivered'])
})

it('a topic that refuses is tried again, unless the event itself is at fault', async () => {
  await world.subscribe(operatorsScope, { channel: { kind: 'event-grid' } })
  azure.answer(({ body }) => ({ status: body.includes('r/2') ? 413 : 403 }))
  await world.publish('r/1')
  await world.publish('r/2')
  await world.send()
  // The third is of the alert that the second one raised.
  expect((await states()).toSorted((one, other) => one.localeCompare(other))).toEqual(['dead', 'waiting', 'waiting'])
})

it('an installation without mail or topic takes no subscriptions of them', async () => {
  const plain = await notificationWorld()
  for (const channel of [mail.channel, { kind: 'event-grid' as const }])
    await expect(plain.subscribe(operatorsScope, { channel })).rejects.toThrow('This installation')
  await plain.close()
})
