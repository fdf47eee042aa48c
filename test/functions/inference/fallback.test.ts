import { chatBody, chatPath, eventsOf, post } from '../../harness/call'
import { chatAlias, startTestStack, type TestStack } from '../../harness/stack'

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

interface UsageRow {
  readonly alias: string
  readonly model: string
  readonly outcome: string
  readonly calls: number
  readonly unsettled: number
  readonly outputTokens: number
  readonly costMicroUsd: number
}

/** `chat` on a deployment of its own, which falls back to `other`, a model of another price. */
async function tenantWithFallback(more: { other?: object; keyAliases?: string[] } = {}) {
  const [first, second] = await Promise.all([stack.makeBackend('gpt-4.1-mini'), stack.makeBackend('gpt-4.1')])
  const tenant = await stack.makeTenant({
    aliases: [
      chatAlias('chat', [[first]], { fallback: 'other' }),
      chatAlias('other', [[second]], { model: 'gpt-4.1', ...more.other }),
    ],
  })
  return { baseUrl: stack.baseUrl, apiKey: tenant.apiKey, tenantId: tenant.tenantId }
}

async function usageOf({ apiKey }: { apiKey: string }): Promise<UsageRow[]> {
  const answer = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=alias,model,outcome`, {
    headers: { 'api-key': apiKey },
  })
  return ((await answer.json()) as { rows: UsageRow[] }).rows
}

describe('an alias that falls back to another', () => {
  it.each([
    ['fails', 'status:500'],
    ['breaks off', 'reset'],
    ['is at capacity', 'status:429'],
    ['refuses the platform', 'status:401'],
  ])('is answered by the other’s model where its own %s, and the answer says so', async (_what, fault) => {
    const tenant = await tenantWithFallback()
    const answer = await post(tenant, chatPath, chatBody(`[[fault:${fault}@gpt-4.1-mini]] [[echo:ok]]`))
    expect(answer.status).toBe(200)
    expect(answer.json['model']).toBe('gpt-4.1-2025-04-14')
    expect(answer.headers.get('x-tenantry-model')).toBe('other')
    expect(answer.headers.get('x-tenantry-fallback')).toBe('true')
  })

  it('streams from the other’s model', async () => {
    const tenant = await tenantWithFallback()
    const body = chatBody('[[fault:status:500@gpt-4.1-mini]] [[echo:ok]]', { stream: true })
    const answer = await post(tenant, chatPath, body)
    expect(answer.headers.get('x-tenantry-model')).toBe('other')
    expect(eventsOf(answer.text).at(-1)).toBe('[DONE]')
  })

  it('is metered on the alias and at the price of the model that answered, as one call', async () => {
    const tenant = await tenantWithFallback()
    await post(tenant, chatPath, chatBody('[[tokens:20]]'))
    await post(tenant, chatPath, chatBody('[[fault:status:500@gpt-4.1-mini]] [[tokens:20]]'))
    const rows = await usageOf(tenant)
    expect(
      rows
        .map(({ alias, model, outcome, calls, unsettled }) => [alias, model, outcome, calls, unsettled])
        .sort((a, b) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual([
      ['chat', 'gpt-4.1-mini', 'completed', 1, 0],
      ['other', 'gpt-4.1', 'completed', 1, 0],
    ])
    const [own, other] = ['chat', 'other'].map((name) => rows.find(({ alias }) => alias === name))
    expect(own?.outputTokens).toBe(other?.outputTokens)
    // gpt-4.1 costs five times what gpt-4.1-mini does.
    expect((other?.costMicroUsd ?? 0) / (own?.costMicroUsd ?? 1)).toBeGreaterThan(4)
  })

  it('says nothing of it where its own model answers', async () => {
    const answer = await post(await tenantWithFallback(), chatPath, chatBody())
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-tenantry-model')).toBeNull()
    expect(answer.headers.get('x-tenantry-fallback')).toBeNull()
  })

  it('does not fall back for what is the caller’s own fault', async () => {
    const tenant = await tenantWithFallback()
    const answer = await post(tenant, chatPath, chatBody('[[fault:status:400@gpt-4.1-mini]]'))
    expect(answer.status).toBe(400)
    expect(answer.headers.get('x-tenantry-fallback')).toBeNull()
  })

  it('fails as its own model failed where the call may not use the other', async () => {
    const lower = await tenantWithFallback({ other: { outputTokensMax: 10 } })
    const body = chatBody('[[fault:status:500@gpt-4.1-mini]]', { max_tokens: 500 })
    const answer = await post(lower, chatPath, body)
    expect(answer.status).toBe(502)
    expect(answer.json.error?.code).toBe('upstream_failed')
    expect((await post(lower, chatPath, chatBody('[[echo:ok]]'))).status).toBe(200)
  })

  it('leaves nothing reserved, whichever of the two answers or fails', async () => {
    const [first, second] = await Promise.all([stack.makeBackend('gpt-4.1-mini'), stack.makeBackend('gpt-4.1')])
    const { apiKey } = await stack.makeTenant({
      limitOverrides: { concurrentCalls: 1 },
      aliases: [
        chatAlias('chat', [[first]], { fallback: 'other' }),
        chatAlias('other', [[second]], { model: 'gpt-4.1' }),
      ],
    })
    const tenant = { baseUrl: stack.baseUrl, apiKey }
    for (const fault of ['status:500@gpt-4.1-mini', 'status:500']) {
      await post(tenant, chatPath, chatBody(`[[fault:${fault}]]`))
    }
    expect((await post(tenant, chatPath, chatBody())).status).toBe(200)
  })
})

describe('a fallback', () => {
  const refused = async (aliases: object[]) => {
    const { tenantId } = await stack.makeTenant()
    return stack.platform.patch(`/tenants/${tenantId}`, { aliases }).then(
      () => 'taken',
      (error: unknown) => String(error),
    )
  }

  it('names another alias of the tenant, which can do the same', async () => {
    expect(await refused([chatAlias('a', [], { fallback: 'b' })])).toContain('No alias \\"b\\"')
    const embed = { name: 'e', model: 'text-embedding-3-small', capabilities: ['embeddings'], groups: [] }
    expect(await refused([chatAlias('a', [], { fallback: 'e' }), embed])).toContain('cannot do chat')
  })

  it('does not lead back, over however many others', async () => {
    expect(await refused([chatAlias('a', [], { fallback: 'a' })])).toContain('Leads back')
    const three = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ].map(([name = '', fallback]) => chatAlias(name, [], { fallback }))
    expect(await refused(three)).toContain('Leads back')
    const backend = await stack.makeBackend('gpt-4.1')
    const two = [chatAlias('a', [[backend]], { fallback: 'b' }), chatAlias('b', [[backend]])]
    expect(await refused(two)).toBe('taken')
  })
})
