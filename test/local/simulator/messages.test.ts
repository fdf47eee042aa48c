import type { Letter } from '../../../local/simulator/messages/inbox'
import { findDirectory, PLATFORM_CLIENT_ID, SIMULATED_SECRET } from '../../../local/simulator/entra/directories'
import { runningSimulator } from './running'

const simulator = runningSimulator()

async function tokenFor(audience: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: PLATFORM_CLIENT_ID,
    client_secret: SIMULATED_SECRET,
    scope: `${audience}/.default`,
  })
  const path = `/entra/${findDirectory('platform')?.id ?? ''}/oauth2/v2.0/token`
  const answer = await fetch(simulator.url(path), { method: 'POST', body: form })
  return ((await answer.json()) as { access_token: string }).access_token
}
const letters = async () =>
  ((await (await fetch(simulator.url('/simulator/messages'))).json()) as { messages: Letter[] }).messages
const statusOf = async (answer: Promise<Response>) => (await answer).status

const SEND = '/communication/emails:send?api-version=2023-03-31'
const mail = (to: string) => ({
  senderAddress: 'platform@tenantry.example',
  recipients: { to: [{ address: to }] },
  content: { subject: `to ${to}`, plainText: 'a text' },
})

it('takes a mail by a token for it, delivers it once whatever is repeated, and says so', async () => {
  const authorization = `Bearer ${await tokenFor('https://communication.azure.com')}`
  const headers = { authorization, 'operation-id': 'an-operation' }
  for (let attempt = 0; attempt < 2; attempt++) {
    const sent = await simulator.post(SEND, mail('ann@example.com'), headers)
    expect([sent.status, await sent.json()]).toMatchObject([202, { id: 'an-operation', status: 'Running' }])
    const state = await fetch(sent.headers.get('operation-location') ?? '', { headers: { authorization } })
    expect(await state.json()).toMatchObject({ status: 'Succeeded' })
  }
  expect((await letters()).filter(({ subject }) => subject === 'to ann@example.com')).toHaveLength(1)
  const bounced = await simulator.post(SEND, mail('nobody@bounce.example'), { authorization })
  const state = await fetch(bounced.headers.get('operation-location') ?? '', { headers: { authorization } })
  expect(await state.json()).toMatchObject({ status: 'Failed', error: { code: 'EmailDropped' } })
})

it('refuses mail without a token, with another one, of another version, without recipients', async () => {
  const other = `Bearer ${await tokenFor('https://eventgrid.azure.net')}`
  const authorization = `Bearer ${await tokenFor('https://communication.azure.com')}`
  expect(await statusOf(simulator.post(SEND, mail('a@b.co')))).toBe(401)
  expect(await statusOf(simulator.post(SEND, mail('a@b.co'), { authorization: other }))).toBe(401)
  expect(await statusOf(simulator.post(SEND.replace('2023', '2022'), mail('a@b.co'), { authorization }))).toBe(400)
  expect(await statusOf(simulator.post(SEND, { ...mail('a@b.co'), recipients: { to: [] } }, { authorization }))).toBe(
    400,
  )
})

it('takes CloudEvents by a token for them, and nothing else', async () => {
  const path = '/eventgrid/api/events?api-version=2018-01-01'
  const authorization = `Bearer ${await tokenFor('https://eventgrid.azure.net')}`
  const headers = { authorization, 'content-type': 'application/cloudevents+json; charset=utf-8' }
  const event = { specversion: '1.0', id: '1', source: 'https://platform.example', type: 'tenantry.test', data: {} }
  expect(await statusOf(simulator.post(path, event, headers))).toBe(200)
  expect((await letters())[0]).toMatchObject({ way: 'event', subject: 'tenantry.test' })
  expect(await statusOf(simulator.post(path, event, { ...headers, 'content-type': 'application/json' }))).toBe(400)
  expect(await statusOf(simulator.post(path, { ...event, specversion: '0.3' }, headers))).toBe(400)
  expect(await statusOf(simulator.post(path, event, { 'content-type': headers['content-type'] }))).toBe(401)
})

it('shows webhooks with what they are signed by', async () => {
  await simulator.post('/hooks/operators', { type: 'digest' }, { 'webhook-id': 'dlv_1', 'webhook-signature': 'v1,abc' })
  expect((await letters())[0]).toMatchObject({
    way: 'webhook',
    to: '/hooks/operators',
    subject: 'digest',
    body: { id: 'dlv_1', signature: 'v1,abc' },
  })
})
