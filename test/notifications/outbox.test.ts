import { GIVE_UP_AFTER_MS } from '../../src/notifications/delivery'
import { NOTICE_KEPT_MS } from '../../src/notifications/notice'
import { operatorsScope } from '../../src/notifications/outbox-rows'
import { LEASE_MS } from '../../src/notifications/send-due'
import {
  aReceiver,
  aNotice,
  idsIn,
  notificationWorld,
  until,
  type NotificationWorld,
  type Receiver,
} from './notification-world'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
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

const webhook = (url = receiver.url) => ({ channel: { kind: 'webhook' as const, url } })

describe('a notice', () => {
  it('is sent behind its publication to each subscription that wants it, once', async () => {
    await world.subscribe(operatorsScope, { ...webhook(`${receiver.url}/all`) })
    await world.subscribe(operatorsScope, { ...webhook(`${receiver.url}/invoices`), kinds: ['invoice'] })
    await world.subscribe(operatorsScope, { ...webhook(`${receiver.url}/critical`), severityMin: 'critical' })
    await world.publish('r/1')
    await until('the notice was sent', () => receiver.received.length > 0)
    await world.send()
    expect(receiver.received.map(({ url }) => url)).toEqual(['/all'])
    expect(idsIn(receiver.received)).toEqual(['r/1'])
    expect(await world.deliveries()).toMatchObject([{ state: { kind: 'delivered' }, attempts: 1 }])
    // Nothing leads to it any more but what forgets it one day.
    expect(await world.due(world.clock.now() + NOTICE_KEPT_MS - 1)).toEqual([])
  })

  it('that is published again, by whomever, is not told again', async () => {
    await world.subscribe(operatorsScope, webhook())
    const other = world.instance()
    await Promise.all([world.publish('r/1'), other.notifications.publish(aNotice('r/1')), world.publish('r/1')])
    await Promise.all([world.send(), other.send()])
    await world.publish('r/1')
    await world.send()
    expect(idsIn(receiver.received)).toEqual(['r/1'])
  })

  it('of one tenant reaches its subscriptions and nobody else’s', async () => {
    const [mine, theirs] = [await world.newTenant(), await world.newTenant()]
    await world.subscribe(mine, webhook(`${receiver.url}/mine`))
    await world.subscribe(theirs, webhook(`${receiver.url}/theirs`))
    await world.subscribe(operatorsScope, webhook(`${receiver.url}/operators`))
    await world.publish('t/1', { audience: 'tenant', tenantId: mine.tenantId })
    await world.publish('o/1', { tenantId: mine.tenantId })
    await world.send()
    expect(receiver.received.map(({ url }) => url).toSorted()).toEqual(['/mine', '/operators'])
  })

  it('of a tenant that has gone is not kept', async () => {
    const tenant = await world.newTenant()
    await world.subscribe(tenant, webhook())
    world.gone.add(tenant.tenantId)
    await world.publish('t/1', { audience: 'tenant', tenantId: tenant.tenantId })
    expect(await world.deliveries(tenant)).toEqual([])
    expect(await world.due(Number.MAX_SAFE_INTEGER / 1_000)).toEqual([])
  })

  it('is forgotten in time, with its deliveries and all that leads to them', async () => {
    await world.subscribe(operatorsScope, webhook())
    await world.publish('r/1')
    await world.send()
    await world.clock.advance(NOTICE_KEPT_MS + 1)
    await world.send()
    expect(await world.deliveries()).toEqual([])
    expect(await world.due(world.clock.now() + 2 * NOTICE_KEPT_MS)).toEqual([])
    await world.publish('r/1')
    await world.send()
    expect(idsIn(receiver.received)).toEqual(['r/1', 'r/1'])
  })
})

describe('a receiver', () => {
  it('that fails is asked again later and later, by the same message, until it takes it', async () => {
    await world.subscribe(operatorsScope, webhook())
    receiver.answer(() => ({ status: receiver.received.length < 3 ? 500 : 200 }))
    await world.publish('r/1')
    await world.send()
    expect(receiver.received).toHaveLength(1)
    await world.send()
    // Not before its time.
    expect(receiver.received).toHaveLength(1)
    await world.clock.advance(MINUTE_MS)
    await world.send()
    expect(receiver.received).toHaveLength(2)
    await world.clock.advance(5 * MINUTE_MS)
    await world.send()
    expect(await world.deliveries()).toMatchObject([{ state: { kind: 'delivered' }, attempts: 3 }])
    const sent = receiver.received.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)
    expect(new Set(sent).size).toBe(1)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3)
  })

  it('is asked again when it says, if that is later', async () => {
    await world.subscribe(operatorsScope, webhook())
    receiver.answer(() => ({ status: 503, headers: { 'retry-after': '7200' } }))
    await world.publish('r/1')
    await world.send()
    const [delivery] = await world.deliveries()
    expect(delivery?.dueAt).toBe(world.clock.now() + 7_200_000)
  })

  it('that answers nothing good for a day has its message given up, in the list of dead letters, from which it can be sent anew', async () => {
    const { id } = await world.subscribe(operatorsScope, webhook())
    receiver.answer(() => ({ status: 500 }))
    await world.publish('r/1')
    for (let hour = 0; hour <= GIVE_UP_AFTER_MS / HOUR_MS; hour++) {
      await world.send()
      await world.clock.advance(HOUR_MS)
    }
    const attempts = receiver.received.length
    expect(attempts).toBeGreaterThan(5)
    const [letter] = await world.deadLetters.page({ after: undefined, limit: 10 })
    expect(letter).toMatchObject({ delivery: { subscriptionId: id, fault: 'answered 500' }, notice: { id: 'r/1' } })
    expect(await world.alerts.get(`notification-undelivered/${id}`)).toMatchObject({ state: 'open' })

    receiver.answer(() => ({ status: 200 }))
    expect(await world.deadLetters.resend(letter?.id ?? '')).toBe(true)
    await until('it was sent anew', async () =>
      (await world.deliveries()).some(({ state }) => state.kind === 'delivered'),
    )
    await world.send()
    // Whoever is told of it by another subscription hears of the alert; this one does too, once it takes messages.
    const anew = receiver.received.slice(attempts)
    expect(anew.map(({ headers }) => headers['webhook-id'])).toContain(receiver.received[0]?.headers['webhook-id'])
    expect(await world.deadLetters.page({ after: undefined, limit: 10 })).toEqual([])
    expect(await world.deadLetters.resend(letter?.id ?? '')).toBe(false)
    expect(await world.alerts.get(`notification-undelivered/${id}`)).toMatchObject({ state: 'resolved' })
  })

  it('that nobody subscribes any more leaves no alert behind', async () => {
    const { id } = await world.subscribe(operatorsScope, webhook())
    receiver.answer(() => ({ status: 410 }))
    await world.publish('r/1')
    await world.send()
    expect(await world.alerts.get(`notification-undelivered/${id}`)).toMatchObject({ state: 'open' })
    await world.desk.remove(operatorsScope, id)
    expect(await world.alerts.get(`notification-undelivered/${id}`)).toMatchObject({ state: 'resolved' })
  })

  it('that is gone for good is sent nothing more, until its subscription is changed', async () => {
    const { id, name, severityMin, timeZone, criticalWaits } = await world.subscribe(operatorsScope, webhook())
    receiver.answer(() => ({ status: 410 }))
    await world.publish('r/1')
    await world.send()
    await world.publish('r/2')
    await world.send()
    expect(receiver.received).toHaveLength(1)
    expect(await world.desk.get(operatorsScope, id)).toMatchObject({ off: { why: expect.stringContaining('410') } })
    receiver.answer(() => ({ status: 200 }))
    await world.desk.replace(operatorsScope, id, { ...webhook(), name, severityMin, timeZone, criticalWaits })
    await world.publish('r/3')
    await world.send()
    expect(idsIn(receiver.received).slice(0, 2)).toEqual(['r/1', 'r/3'])
  })

  it('that does not answer holds up nobody else, and is left alone for a while', async () => {
    const dead = await aReceiver(() => new Promise(() => {}))
    const refusing = await aReceiver()
    await refusing.close()
    await world.subscribe(operatorsScope, webhook(refusing.url))
    await world.subscribe(operatorsScope, webhook(dead.url))
    await world.subscribe(operatorsScope, webhook())
    for (const number of [1, 2, 3, 4, 5]) await world.publish(`r/${number}`)
    const all = world.send()
    await until('the living one has all', () => receiver.received.length === 5)
    // The dead one still has the first.
    expect(dead.received).toHaveLength(1)
    await dead.close()
    await all
    const postponed = (await world.deliveries()).filter(({ state }) => state.kind === 'waiting')
    // Of five to each of the other two, three were tried; the rest cost nothing.
    expect(postponed.filter(({ attempts }) => attempts === 0)).toHaveLength(4)
    expect(postponed.filter(({ attempts }) => attempts === 1)).toHaveLength(6)
  })

  it('whose subscription is removed is sent nothing of what waited', async () => {
    const { id } = await world.subscribe(operatorsScope, webhook())
    receiver.answer(() => ({ status: 500 }))
    await world.publish('r/1')
    await world.send()
    await world.desk.remove(operatorsScope, id)
    await world.clock.advance(HOUR_MS)
    await world.send()
    expect(receiver.received).toHaveLength(1)
    expect(await world.deliveries()).toMatchObject([{ state: { kind: 'dropped' } }])
  })
})

describe('instances of the app', () => {
  it('never send a message at the same time, however many are at it', async () => {
    await world.subscribe(operatorsScope, webhook())
    const others = [world.instance(), world.instance()]
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) await world.publish(`r/${number}`)
    await Promise.all([world, ...others].map((each) => each.send()))
    await world.send()
    expect(idsIn(receiver.received).toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => `r/${number}`))
  })

  it('that die while they send leave the message to others, who send it again under its id', async () => {
    await world.subscribe(operatorsScope, webhook())
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    receiver.answer(async () => {
      await held
      return { status: 200 }
    })
    await world.publish('r/1')
    await until('it was sent', () => receiver.received.length === 1)
    // Whoever sent it says nothing any more. Before its time is over nobody takes the message …
    const other = world.instance()
    await other.send()
    expect(receiver.received).toHaveLength(1)
    await world.clock.advance(LEASE_MS)
    receiver.answer(() => ({ status: 200 }))
    // … and then somebody does.
    await other.send()
    expect(receiver.received).toHaveLength(2)
    const [one, two] = receiver.received.map(({ headers }) => headers['webhook-id'])
    expect(two).toBe(one)
    // The first one comes back to life, and changes nothing of what has been written since.
    release()
    await world.send()
    expect(await world.deliveries()).toMatchObject([{ state: { kind: 'delivered' }, attempts: 2 }])
    expect(await world.due(world.clock.now() + HOUR_MS)).toEqual([])
  })

  it('that die between two writes leave rows that lead to nothing, which are dropped, and no message is lost', async () => {
    await world.subscribe(operatorsScope, webhook())
    await world.publish('r/1')
    const [delivery] = await world.deliveries()
    const stray = `due-${String(world.clock.now()).padStart(13, '0')}-${operatorsScope.tenantId}-delivery-dlv_${'0'.repeat(40)}`
    await world.rows.index.put(stray, {})
    await world.rows.index.put('due-nonsense', {})
    await world.send()
    // It may be of somebody who is just writing what it leads to.
    expect(await world.due(world.clock.now())).toEqual([stray])
    await world.clock.advance(HOUR_MS)
    await world.send()
    expect(await world.due(world.clock.now())).toEqual([])
    expect(delivery).toBeDefined()
    expect(idsIn(receiver.received)).toEqual(['r/1'])
  })
})

describe('a digest', () => {
  it('tells together what came meanwhile, and what is critical at once', async () => {
    await world.subscribe(operatorsScope, { ...webhook(), digest: { kind: 'hourly' } })
    await world.publish('r/1')
    await world.publish('r/2', { severity: 'critical' })
    await world.clock.advance(10 * MINUTE_MS)
    await Promise.all([world.publish('r/3'), world.instance().notifications.publish(aNotice('r/4'))])
    await world.send()
    expect(idsIn(receiver.received)).toEqual(['r/2'])
    await world.clock.advance(50 * MINUTE_MS)
    await world.send()
    expect(receiver.received).toHaveLength(2)
    const [, digest] = idsIn(receiver.received)
    expect(digest?.split('+').toSorted()).toEqual(['r/1', 'r/3', 'r/4'])
    expect(JSON.parse(receiver.received[1]?.body ?? '')).toMatchObject({ type: 'digest', data: { more: 0 } })
  })

  it('waits for the end of quiet hours in the time zone of whoever is asleep', async () => {
    // The clock stands at midnight UTC, which is one in the night in Berlin and nine in the morning in Tokyo.
    const quietHours = { from: '22:00', to: '07:00' }
    await world.subscribe(operatorsScope, {
      ...webhook(`${receiver.url}/berlin`),
      quietHours,
      timeZone: 'Europe/Berlin',
    })
    await world.subscribe(operatorsScope, { ...webhook(`${receiver.url}/tokyo`), quietHours, timeZone: 'Asia/Tokyo' })
    await world.subscribe(operatorsScope, {
      ...webhook(`${receiver.url}/deep`),
      quietHours,
      timeZone: 'Europe/Berlin',
      criticalWaits: true,
    })
    await world.publish('r/1')
    await world.publish('r/2', { severity: 'critical' })
    await world.send()
    expect(receiver.received.map(({ url }) => url).toSorted()).toEqual(['/berlin', '/tokyo', '/tokyo'])
    await world.clock.advance(6 * HOUR_MS - 1)
    await world.send()
    expect(receiver.received).toHaveLength(3)
    await world.clock.advance(1)
    await world.send()
    const woken = receiver.received.slice(3)
    expect(woken.map(({ url }) => url).toSorted()).toEqual(['/berlin', '/deep'])
    expect(idsIn(woken).toSorted()).toEqual(['r/1', 'r/1+r/2'])
  })
})
