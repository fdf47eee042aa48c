import { TenantScope } from '../../src/storage/tenant-scope'
import { parseTenantId } from '../../src/base/ids'
import { createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { sealingScope } from '../functions/tuned-fixtures'
import { aReceiver, type Receiver } from './notification-world'

let server: ControlPlaneServer
let receiver: Receiver
beforeAll(async () => {
  server = await serveControlPlane()
  receiver = await aReceiver()
})
afterAll(async () => {
  await server.close()
  await receiver.close()
})

async function aTenant() {
  const { tenantId, apiKey } = await createTenant(server)
  await sealingScope(server, tenantId)
  const id = parseTenantId(tenantId)
  if (!id) throw new Error(`${tenantId} is no id`)
  const own = (method: string, path: string, body?: unknown) =>
    server.send(method, `/api/tenant/${path}`, { apiKey, body })
  return { tenantId: id, scope: TenantScope.ofPlatform(id), own }
}

const SUBSCRIPTIONS = '/api/platform/notifications/subscriptions'
const webhook = (path = '') => ({ name: 'on call', channel: { kind: 'webhook', url: `${receiver.url}${path}` } })
const alerts = () => server.parts.controlPlane.alerts
const auditOf = async () => (await server.operate('GET', '/api/platform/audit?limit=1000')).body.entries

describe('alerts', () => {
  it('are acknowledged and resolved by a person, whose name and note stay, in the audit log too', async () => {
    const id = 'budget/ten_1/key/50 %'
    await alerts().raise({
      id: 'undo-failed/onb_1/models',
      kind: 'undo-failed',
      severity: 'critical',
      tenantId: undefined,
      title: 'Left behind',
      detail: 'what to do',
      evidence: { step: 'models' },
    })
    const path = `/api/platform/alerts/${encodeURIComponent('undo-failed/onb_1/models')}`
    const listed = expectStatus(
      await server.operate('GET', '/api/platform/alerts?state=open&kind=undo-failed'),
      200,
    ).body
    expect(listed.alerts).toMatchObject([
      { id: 'undo-failed/onb_1/models', severity: 'critical', episode: 1, evidence: { step: 'models' } },
    ])
    const looked = expectStatus(await server.operate('POST', `${path}/acknowledge`, { note: 'looking' }), 200).body
    expect(looked).toMatchObject({
      state: 'acknowledged',
      history: [{ by: 'platform' }, { to: 'acknowledged', note: 'looking' }],
    })
    const [, { by }] = looked.history
    expectStatus(await server.operate('POST', `${path}/resolve`, {}), 200)
    expect(expectStatus(await server.operate('GET', path), 200).body.history.at(-1)).toMatchObject({
      to: 'resolved',
      by,
    })
    const entries = await auditOf()
    for (const what of ['acknowledge', 'resolve'])
      expect(entries).toContainEqual(
        expect.objectContaining({
          action: 'platform.alerts.manage',
          outcome: 'done',
          actor: { kind: 'operator', id: by },
          target: `${path}/${what}`,
        }),
      )
    expectStatus(await server.operate('POST', `/api/platform/alerts/${encodeURIComponent(id)}/acknowledge`, {}), 404)
  })

  it('of a tenant are shown to it without what is for operators', async () => {
    const { tenantId, own } = await aTenant()
    const other = await aTenant()
    await alerts().raise({
      id: `drift/${tenantId}`,
      kind: 'model-drift',
      severity: 'notice',
      tenantId,
      audience: 'tenant',
      title: 'Drifted',
      detail: 'retrain',
      evidence: { secretive: true },
    })
    await alerts().acknowledge(`drift/${tenantId}`, { by: 'an-operator', note: 'between us' })
    const { body } = await own('GET', 'alerts')
    expect(body.alerts).toMatchObject([{ id: `drift/${tenantId}`, state: 'acknowledged', title: 'Drifted' }])
    expect(JSON.stringify(body)).not.toMatch(/secretive|an-operator|between us/)
    expect((await other.own('GET', 'alerts')).body.alerts).toEqual([])
  })

  it('are listed in pages', async () => {
    for (const number of [1, 2, 3])
      await alerts().raise({
        id: `paged/${number}`,
        kind: 'recovery-damaged',
        severity: 'notice',
        tenantId: undefined,
        title: 'a title',
        detail: 'a detail',
      })
    const path = '/api/platform/alerts?kind=recovery-damaged&limit=2'
    const first = expectStatus(await server.operate('GET', path), 200).body
    expect(first.alerts).toHaveLength(2)
    const second = expectStatus(await server.operate('GET', `${path}&after=${first.next}`), 200).body
    expect(second.alerts).toHaveLength(1)
    expect(second.next).toBeUndefined()
  })
})

describe('subscriptions', () => {
  it('of a tenant and of operators are each their own, with a secret that is shown once', async () => {
    const [mine, theirs] = [await aTenant(), await aTenant()]
    const made = expectStatus(await mine.own('POST', 'notifications/subscriptions', webhook('/mine')), 201).body
    expect(made).toMatchObject({ secret: expect.stringMatching(/^whsec_/), severityMin: 'notice', timeZone: 'UTC' })
    const read = expectStatus(await mine.own('GET', `notifications/subscriptions/${made.id}`), 200)
    expect(read.text).not.toContain('whsec_')
    expect(expectStatus(await mine.own('GET', 'notifications/subscriptions'), 200).body.subscriptions).toHaveLength(1)
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
    ] as const) {
      expectStatus(await theirs.own(method, `notifications/subscriptions/${made.id}${path}`), 404)
      expectStatus(await server.operate(method, `${SUBSCRIPTIONS}/${made.id}${path}`), 404)
    }
    expect(expectStatus(await server.operate('GET', SUBSCRIPTIONS), 200).body.subscriptions).toEqual([])
  })

  it('are tested, rotated, replaced and removed', async () => {
    const { id, secret } = expectStatus(await server.operate('POST', SUBSCRIPTIONS, webhook('/operators')), 201).body
    const path = `${SUBSCRIPTIONS}/${id}`
    expect(expectStatus(await server.operate('POST', `${path}/test`), 200).body).toEqual({ outcome: 'delivered' })
    expect(receiver.received.at(-1)).toMatchObject({ url: '/operators' })
    const again = await server.operate('POST', `${path}/test`)
    expect(again).toMatchObject({ status: 429, body: { code: 'rate_limit_exceeded' } })
    expect(again.headers.get('retry-after')).toBe('10')
    const rotation = expectStatus(await server.operate('POST', `${path}/rotate-secret`), 200).body
    expect(rotation.secret).not.toBe(secret)
    expect(rotation.channel.secretsUntil).toEqual([null, new Date(server.clock.now() + 86_400_000).toISOString()])
    const replaced = { ...webhook('/others'), kinds: ['incident'], quietHours: { from: '22:00', to: '07:00' } }
    expect(expectStatus(await server.operate('PUT', path, replaced), 200).body).toMatchObject({
      kinds: ['incident'],
      quietHours: { from: '22:00', to: '07:00' },
      channel: { secretsUntil: rotation.channel.secretsUntil },
    })
    const other = { ...webhook(), channel: { kind: 'email', to: ['a@b.co'] } }
    expect(await server.operate('PUT', path, other)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expectStatus(await server.operate('DELETE', path), 204)
    expectStatus(await server.operate('DELETE', path), 404)
  })

  it('made again under the same Idempotency-Key are one, with the same secret', async () => {
    const { own } = await aTenant()
    const [one, two] = await Promise.all(
      [1, 2].map(() => server.operate('POST', SUBSCRIPTIONS, webhook('/once'), { 'idempotency-key': 'once' })),
    )
    const answered = [one, two].filter((reply) => reply?.status === 201)
    const again = expectStatus(
      await server.operate('POST', SUBSCRIPTIONS, webhook('/once'), { 'idempotency-key': 'once' }),
      201,
    ).body
    for (const reply of answered) expect(reply?.body).toMatchObject({ id: again.id, secret: again.secret })
    const { subscriptions } = (await server.operate('GET', SUBSCRIPTIONS)).body
    expect(
      subscriptions.filter(({ channel }: { channel: { url?: string } }) => channel.url?.endsWith('/once')),
    ).toHaveLength(1)
    expect((await own('GET', 'notifications/subscriptions')).body.subscriptions).toEqual([])
  })

  it.each([
    [{ channel: { kind: 'webhook', url: 'http://hooks.example.com/' } }, /https/],
    [{ channel: { kind: 'webhook', url: 'https://169.254.169.254/' } }, /public address/],
    [{ channel: { kind: 'event-grid' } }, /channel/],
    [{ timeZone: 'Middle/Earth' }, /time zone/],
    [{ quietHours: { from: '22:00', to: '22:00' } }, /begin when they end/],
    [{ surplus: 1 }, /surplus/],
  ])('of a tenant with %j are refused', async (wrong, says) => {
    const { own } = await aTenant()
    const reply = await own('POST', 'notifications/subscriptions', { ...webhook(), ...wrong })
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(reply.text).toMatch(says)
    expect((await own('GET', 'notifications/subscriptions')).body.subscriptions).toEqual([])
  })
})

it('messages that were given up are listed and sent anew, whoever’s they are, without what was said', async () => {
  const { tenantId, scope, own } = await aTenant()
  expectStatus(await own('POST', 'notifications/subscriptions', webhook('/gone')), 201)
  receiver.answer(() => ({ status: 410 }))
  const { notifications } = server.parts
  const notice = { id: 't/1', kind: 'invoice', severity: 'notice', title: 'between us', text: 'a text' } as const
  await notifications.notifications.publish({ ...notice, audience: 'tenant', tenantId: scope.tenantId })
  await notifications.send()
  const listed = expectStatus(await server.operate('GET', '/api/platform/notifications/dead-letters'), 200)
  expect(listed.text).not.toContain('between us')
  const letter = listed.body.deadLetters.find(({ kind }: { kind: string }) => kind === 'invoice')
  expect(letter).toMatchObject({ tenantId, kind: 'invoice', attempts: 1, fault: expect.stringContaining('410') })
  receiver.answer(() => ({ status: 200 }))
  const [{ id, channel, name }] = (await own('GET', 'notifications/subscriptions')).body.subscriptions
  const { kind, url } = channel
  expectStatus(await own('PUT', `notifications/subscriptions/${id}`, { name, channel: { kind, url } }), 200)
  expectStatus(await server.operate('POST', `/api/platform/notifications/dead-letters/${letter.id}/resend`), 204)
  await notifications.send()
  const sent = receiver.received.map(({ headers }) => headers['webhook-id'])
  expect(sent.filter((id) => id === letter.messageId)).toHaveLength(2)
  const left = (await server.operate('GET', '/api/platform/notifications/dead-letters')).body.deadLetters
  expect(left.map(({ id: each }: { id: string }) => each)).not.toContain(letter.id)
  expectStatus(await server.operate('POST', `/api/platform/notifications/dead-letters/${letter.id}/resend`), 404)
})
