import { startTestStack, type TestStack } from '../harness/stack'
import { chatBody, chatPath, post } from '../harness/call'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
}, 60_000)
afterAll(() => stack.stop())

describe('an onboarding', () => {
  it('ends with a tenant that serves, and shows its key once', async () => {
    const backend = await stack.makeBackend('gpt-4.1-mini')
    const aliases = [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId: backend }] }] }]
    const started = await stack.platform.post<{ tenantId: string; onboardingId: string; statusUrl: string }>(
      '/tenants',
      { displayName: 'Onboarded', contact: { email: 'a@b.example' }, region: 'swedencentral', aliases },
    )
    const status = await stack.platform.ended(started.onboardingId)
    console.log(JSON.stringify(status, null, 1))
    expect(status.state).toBe('completed')
    const shown = await fetch(status.credentials?.url ?? '')
    const { apiKey } = (await shown.json()) as { apiKey: string }
    expect((await fetch(status.credentials?.url ?? '')).status).toBe(410)
    const answer = await post({ baseUrl: stack.baseUrl, apiKey }, chatPath, chatBody())
    expect(answer.status).toBe(200)
  }, 60_000)
})
