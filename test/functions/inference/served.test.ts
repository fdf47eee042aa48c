import { chatBody, chatPath, eventsOf, post } from '../../harness/call'
import { chatAlias, startTestStack, type TestStack, type TestTenant } from '../../harness/stack'

let stack: TestStack
let tenant: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  tenant = await stack.makeTenant()
})
afterAll(() => stack.stop())

const us = () => ({ baseUrl: stack.baseUrl, apiKey: tenant.apiKey })

describe('a call is served', () => {
  it.each([
    ['/openai/v1/chat/completions'],
    ['/openai/v1/chat/completions?api-version=preview'],
    ['/openai/chat/completions'],
    ['/openai/deployments/chat/chat/completions?api-version=2024-10-21'],
    ['/openai/deployments/chat/chat/completions?api-version=2025-04-01-preview'],
  ])('at %s', async (path) => {
    const answer = await post(us(), path, chatBody())
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({ object: 'chat.completion', usage: { completion_tokens: 2 } })
  })

  it.each([
    ['api-key', (key: string) => ({ 'api-key': key })],
    ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
    ['both, alike', (key: string) => ({ 'api-key': key, authorization: `Bearer ${key}` })],
  ])('with its key as %s', async (_style, headers) => {
    const answer = await post({ baseUrl: stack.baseUrl }, chatPath, chatBody(), headers(tenant.apiKey))
    expect(answer.status).toBe(200)
  })

  it("with both request ids and the tenant's own rate headers, not the backend's", async () => {
    const limits = { requestsPerMinute: 50, tokensPerMinute: 9_000, concurrentCalls: 3 }
    const { apiKey } = await stack.makeTenant({ limitOverrides: limits })
    const answer = await post({ ...us(), apiKey }, chatPath, chatBody(), { 'x-request-id': 'my-id.1' })
    expect(answer.headers.get('x-request-id')).toBe('my-id.1')
    expect(answer.headers.get('apim-request-id')).toBe('my-id.1')
    expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('50')
    expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('49')
    expect(answer.headers.get('x-ratelimit-limit-tokens')).toBe('9000')
    expect(Number(answer.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(9_000)
  })

  it('with an id of ours where the client sends none or a hostile one', async () => {
    const answer = await post(us(), chatPath, chatBody(), { 'x-request-id': 'a b<script>' })
    expect(answer.headers.get('x-request-id')).toMatch(/^call_/)
  })

  it("with Azure's prompt-filter chunk first, unless the tenant hides it", async () => {
    const shown = await post(us(), chatPath, chatBody(undefined, { stream: true }))
    expect(shown.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(eventsOf(shown.text)[0]).toMatchObject({ choices: [], prompt_filter_results: [{}] })
    expect(eventsOf(shown.text).at(-1)).toBe('[DONE]')

    const hiding = await stack.makeTenant({ settings: { hidePromptFilterChunk: true } })
    const hidden = await post({ ...us(), apiKey: hiding.apiKey }, chatPath, chatBody(undefined, { stream: true }))
    expect(eventsOf(hidden.text)).toHaveLength(eventsOf(shown.text).length - 1)
    expect(hidden.text).not.toContain('prompt_filter_results')
  })

  it('by an OpenAI-compatible server too', async () => {
    const backend = await stack.makeBackend('gpt-4.1', {
      api: { kind: 'openai-compatible' },
      endpoint: `${stack.simulatorUrl}/compatible/v1`,
    })
    const { apiKey } = await stack.makeTenant({ aliases: [chatAlias('chat', [[backend]])] })
    const whole = await post({ ...us(), apiKey }, chatPath, chatBody())
    expect(whole.json).toMatchObject({ model: expect.stringMatching(/^gpt-4\.1/), usage: { completion_tokens: 2 } })
    const streamed = await post({ ...us(), apiKey }, chatPath, chatBody(undefined, { stream: true }))
    expect(eventsOf(streamed.text).at(-1)).toBe('[DONE]')
  })

  it('by a reasoning model, with the cap in the field that it takes', async () => {
    const backend = await stack.makeBackend('gpt-5-mini')
    const aliases = [
      chatAlias('chat', [[backend]], { model: 'gpt-5-mini', outputTokensField: 'max_completion_tokens' }),
    ]
    const { apiKey } = await stack.makeTenant({ aliases })
    const answer = await post({ ...us(), apiKey }, chatPath, chatBody('[[tokens:20]]'))
    expect(answer.status).toBe(200)
  })

  it("never with more output than the alias's cap, whether or not the client sets a bound", async () => {
    const backend = await stack.makeBackend('gpt-4.1-mini')
    const { apiKey } = await stack.makeTenant({
      aliases: [chatAlias('chat', [[backend]], { outputTokensMax: 10 })],
    })
    const answer = await post({ ...us(), apiKey }, chatPath, chatBody('[[tokens:200]]'))
    expect(answer.json).toMatchObject({ usage: { completion_tokens: 10 }, choices: [{ finish_reason: 'length' }] })
    const asked = await post({ ...us(), apiKey }, chatPath, chatBody('[[tokens:200]]', { max_tokens: 5 }))
    expect(asked.json).toMatchObject({ usage: { completion_tokens: 5 } })
  })

  it('and counted exactly, call by call, for the tenant that made it and no other', async () => {
    const [a, b] = await Promise.all([stack.makeTenant(), stack.makeTenant()])
    const calls = [
      post({ ...us(), apiKey: a.apiKey }, chatPath, chatBody('one [[tokens:30]]')),
      post({ ...us(), apiKey: a.apiKey }, chatPath, chatBody('two [[tokens:40]]', { stream: true })),
      post({ ...us(), apiKey: a.apiKey }, '/openai/v1/embeddings', { model: 'embed', input: ['x', 'y'] }),
      post({ ...us(), apiKey: b.apiKey }, chatPath, chatBody('three [[tokens:50]]')),
    ]
    await Promise.all(calls)
    const usage = async ({ apiKey }: TestTenant) => {
      const answer = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=alias`, { headers: { 'api-key': apiKey } })
      return (await answer.json()) as { totals: { calls: number; outputTokens: number }; rows: { alias: string }[] }
    }
    expect((await usage(a)).totals).toMatchObject({ calls: 3, outputTokens: 70, unsettled: 0 })
    expect((await usage(a)).rows.map(({ alias }) => alias).sort()).toEqual(['chat', 'embed'])
    expect((await usage(b)).totals).toMatchObject({ calls: 1, outputTokens: 50 })
  })
})
