import { createHmac, timingSafeEqual } from 'node:crypto'
import { operatorsScope } from '../../src/notifications/outbox-rows'
import { isPublicAddress } from '../../src/notifications/public-address'
import { retryAfterOf } from '../../src/notifications/retry-after'
import { createWebhookHttp, ForbiddenAddressError, type Resolve } from '../../src/notifications/webhook-http'
import { OVERLAP_MS } from '../../src/notifications/webhook-signature'
import {
  aReceiver,
  notificationWorld,
  type NotificationWorld,
  type Received,
  type Receiver,
} from './notification-world'

/** As docs/notifications.md has receivers do it. */
function isSigned({ headers, body }: Received, secret: string, nowMs: number): boolean {
  const id = String(headers['webhook-id'])
  const timestamp = String(headers['webhook-timestamp'])
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > 300) return false
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest()
  return String(headers['webhook-signature'])
    .split(' ')
    .some((each) => {
      const given = Buffer.from(each.replace(/^v1,/, ''), 'base64')
      return given.length === expected.length && timingSafeEqual(given, expected)
    })
}

describe('a webhook', () => {
  let world: NotificationWorld
  let receiver: Receiver
  beforeAll(async () => {
    world = await notificationWorld()
    receiver = await aReceiver()
  })
  afterAll(async () => {
    await world.close()
    await receiver.close()
  })
  const last = () => {
    const received = receiver.received.at(-1)
    if (!received) throw new Error('nothing was received')
    return received
  }

  it('is signed so that its receiver can tell it from another, from a changed and from an old one', async () => {
    const { secret } = await world.subscribe(operatorsScope, {
      channel: { kind: 'webhook', url: `${receiver.url}/hook?x=1` },
    })
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    await world.publish('r/1', { data: { figure: 1 } })
    await world.send()
    const received = last()
    const nowMs = world.clock.now()
    expect(received).toMatchObject({
      method: 'POST',
      url: '/hook?x=1',
      headers: { 'content-type': 'application/json' },
    })
    expect(JSON.parse(received.body)).toEqual({
      type: 'report',
      timestamp: new Date(nowMs).toISOString(),
      data: {
        id: 'r/1',
        kind: 'report',
        severity: 'warning',
        title: 'title of r/1',
        text: 'text of r/1',
        data: { figure: 1 },
      },
    })
    expect(isSigned(received, secret, nowMs)).toBe(true)
    expect(isSigned({ ...received, body: received.body.replace('r/1', 'r/2') }, secret, nowMs)).toBe(false)
    const otherId = { ...received.headers, 'webhook-id': 'dlv_other' }
    expect(isSigned({ ...received, headers: otherId }, secret, nowMs)).toBe(false)
    const later = { ...received.headers, 'webhook-timestamp': String(Math.floor(nowMs / 1_000) + 1) }
    expect(isSigned({ ...received, headers: later }, secret, nowMs)).toBe(false)
    expect(isSigned(received, secret, nowMs + 301_000)).toBe(false)
    expect(isSigned(received, `whsec_${Buffer.alloc(32).toString('base64')}`, nowMs)).toBe(false)
  })

  it('is signed with both secrets for a day after a rotation, then with the new one alone', async () => {
    const { id, secret: old } = await world.subscribe(operatorsScope, {
      channel: { kind: 'webhook', url: receiver.url },
    })
    const rotation = await world.desk.rotateSecret(operatorsScope, id)
    const made = rotation && 'secret' in rotation ? String(rotation.secret) : ''
    const sentAndSigned = async () => {
      await world.desk.test(operatorsScope, id)
      await world.clock.advance(10_000)
      return [old, made].map((secret) => isSigned(last(), secret, world.clock.now()))
    }
    expect(made).not.toBe(old)
    expect(await sentAndSigned()).toEqual([true, true])
    await world.clock.advance(OVERLAP_MS)
    expect(await sentAndSigned()).toEqual([false, true])
  })

  it('is tested at once, and not as often as one likes', async () => {
    const { id } = await world.subscribe(operatorsScope, { channel: { kind: 'webhook', url: receiver.url } })
    expect(await world.desk.test(operatorsScope, id)).toEqual({ outcome: 'delivered' })
    expect(await world.desk.test(operatorsScope, id)).toMatchObject({
      code: 'rate_limit_exceeded',
      retryAfterMs: 10_000,
    })
    // Nor by another subscription of one’s own.
    const other = await world.subscribe(operatorsScope, { channel: { kind: 'webhook', url: receiver.url } })
    expect(await world.desk.test(operatorsScope, other.id)).toMatchObject({ code: 'rate_limit_exceeded' })
    await world.clock.advance(10_000)
    receiver.answer(() => ({ status: 302, headers: { location: `${receiver.url}/elsewhere` } }))
    const before = receiver.received.length
    expect(await world.desk.test(operatorsScope, id)).toEqual({ outcome: 'failed', fault: 'answered 302' })
    // What a redirect leads to is not called.
    expect(receiver.received).toHaveLength(before + 1)
    receiver.answer(() => ({ status: 200 }))
  })

  it('of a tenant keeps its address and its secrets sealed at rest', async () => {
    const tenant = await world.newTenant()
    const { secret } = await world.subscribe(tenant, {
      channel: { kind: 'webhook', url: `${receiver.url}/a-secret-path` },
    })
    const rows: string[] = []
    for (const name of await world.storage.tableNames())
      for await (const entity of world.storage.table(name).listEntities())
        rows.push(JSON.stringify(entity), ...bytesOf(entity))
    const stored = rows.join('\n')
    expect(stored).toContain('subscriptions-sub_')
    expect(stored).not.toContain('a-secret-path')
    expect(stored).not.toContain(secret.slice('whsec_'.length))
  })
})

const bytesOf = (entity: object) =>
  Object.values(entity).flatMap((value) => (value instanceof Uint8Array ? [Buffer.from(value).toString('latin1')] : []))

describe('addresses of webhooks', () => {
  const resolving =
    (addresses: readonly string[]): Resolve =>
    (_name, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )

  it.each([
    'http://hooks.example.com/',
    'https://user:password@hooks.example.com/',
    'https://hooks.example.com/#fragment',
    'ftp://hooks.example.com/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://10.1.2.3/',
    'https://169.254.169.254/metadata/instance',
    'https://168.63.129.16/',
    'https://[::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[64:ff9b::a00:1]/',
    'https://localhost/',
    'https://metadata.internal/',
    'no address',
    `https://hooks.example.com/${'a'.repeat(2_000)}`,
  ])('%s is refused before anything is sent', async (url) => {
    const http = createWebhookHttp({ resolve: resolving(['93.184.215.14']) })
    expect(http.faultOf(url)).toMatch(/^Must be/)
    await expect(http.post({ url, headers: {}, body: '' })).rejects.toThrow(ForbiddenAddressError)
    await http.close()
  })

  it('whose name leads to a private address, alone or among others, are not called', async () => {
    const receiver = await aReceiver()
    const port = new URL(receiver.url).port
    for (const addresses of [['127.0.0.1'], ['93.184.215.14', '127.0.0.1'], ['::1'], ['169.254.169.254'], []]) {
      const http = createWebhookHttp({ resolve: resolving(addresses) })
      const url = `https://hooks.example.com:${port}/`
      expect(http.faultOf(url)).toBeUndefined()
      await expect(http.post({ url, headers: {}, body: '' })).rejects.toThrow('leads to no public address')
      await http.close()
    }
    expect(receiver.received).toEqual([])
    await receiver.close()
  })

  it('that the installation has opened may be private and speak plain http; others on them may not', async () => {
    const receiver = await aReceiver()
    const { host, port } = new URL(receiver.url)
    const http = createWebhookHttp({ openHosts: [host] })
    expect(await http.post({ url: receiver.url, headers: {}, body: '{}' })).toEqual({
      status: 200,
      retryAfter: undefined,
    })
    expect(http.faultOf(`http://127.0.0.1:${Number(port) - 1}/`)).toBe('Must begin with https://')
    await http.close()
    await receiver.close()
  })

  it('are public by the registries of addresses', () => {
    for (const address of ['93.184.215.14', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1', '2a00:1450::1'])
      expect([address, isPublicAddress(address)]).toEqual([address, true])
    for (const address of [
      '0.0.0.0',
      '172.31.255.255',
      '100.64.0.1',
      '192.0.0.1',
      '198.19.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ])
      expect([address, isPublicAddress(address)]).toEqual([address, false])
    for (const address of [
      '::',
      '::1',
      'fe80::1',
      'fc00::1',
      'ff02::1',
      '2002:a00:1::',
      '2001::1',
      '2001:db8::1',
      '::ffff:8.8.8.8',
      'a',
    ])
      expect([address, isPublicAddress(address)]).toEqual([address, false])
  })
})

test('Retry-After is a number of seconds or a date, and nothing else', () => {
  const nowMs = Date.UTC(2026, 0, 1)
  expect(retryAfterOf('120', nowMs)).toBe(120_000)
  expect(retryAfterOf('Thu, 01 Jan 2026 00:01:00 GMT', nowMs)).toBe(60_000)
  expect(retryAfterOf('Wed, 31 Dec 2025 00:00:00 GMT', nowMs)).toBe(0)
  expect(retryAfterOf('999999999', nowMs)).toBe(86_400_000)
  for (const text of [undefined, '', 'soon', '-1', '1.5', 'Someday, in May'])
    expect(retryAfterOf(text, nowMs)).toBeUndefined()
})
