import type { Letter } from '../../local/simulator/messages/inbox'
import { startTestStack, type TestStack } from '../harness/stack'
import { until } from './notification-world'

/** The whole way, on the local stack: a call, an alert, what is sent by every channel, and a person who takes it on. */
let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

const letters = async () =>
  ((await (await fetch(`${stack.simulatorUrl}/simulator/messages`)).json()) as { messages: Letter[] }).messages

it('a budget that refuses calls is told to operators by webhook, mail and event, and to the tenant’s contact', async () => {
  for (const channel of [
    { kind: 'webhook', url: `${stack.simulatorUrl}/hooks/operators` },
    { kind: 'email', to: ['operators@example.com'] },
    { kind: 'event-grid' },
  ])
    await stack.platform.post('/notifications/subscriptions', {
      name: channel.kind,
      channel,
      kinds: ['budget-refusing'],
    })
  const tenant = await stack.makeTenant({ budgetOverrides: { tokensPerDay: { limit: 1, stop: true } } })
  const refused = await fetch(`${stack.baseUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': tenant.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  expect(refused.status).toBe(429)
  const about = (all: readonly Letter[], way: Letter['way']) =>
    all.filter((letter) => letter.way === way && JSON.stringify(letter).includes('Calls are refused'))
  await until('all four have arrived', async () => {
    const all = await letters()
    return about(all, 'webhook').length === 1 && about(all, 'event').length === 1 && about(all, 'mail').length === 2
  })
  const mails = about(await letters(), 'mail').map(({ to }) => to)
  expect(mails.toSorted((one, other) => one.localeCompare(other))).toEqual([
    'admin@test.example',
    'operators@example.com',
  ])

  // Its id has slashes, which the path carries percent-encoded.
  const { body } = await stack.platform.get<{ alerts: { id: string; kind: string }[] }>('/alerts?kind=budget-refusing')
  const id = body.alerts[0]?.id ?? ''
  expect(id).toContain('/')
  const path = `/alerts/${encodeURIComponent(id)}/acknowledge`
  expect(await stack.platform.post(path, { note: 'on it' })).toMatchObject({ id, state: 'acknowledged' })
})
