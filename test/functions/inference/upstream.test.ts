import { chatBody, chatPath, eventsOf, post } from '../../harness/call'
import { chatAlias, startTestStack, type TestStack } from '../../harness/stack'

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

/** A tenant whose alias tries the first deployment and then the second. */
async function tenantOn(...deployments: string[]) {
  const ids = await Promise.all(deployments.map((deployment) => stack.makeBackend(deployment)))
  const { apiKey } = await stack.makeTenant({
    aliases: [
      chatAlias(
        'chat',
        ids.map((id) => [id]),
      ),
    ],
  })
  return { baseUrl: stack.baseUrl, apiKey }
}

const served = (answer: { json: Record<string, unknown> }) => String(answer.json['model'])

describe('another backend serves', () => {
  it.each([
    ['status:500'],
    ['status:503'],
    ['status:408'],
    ['status:429'],
    ['status:401'],
    ['reset'],
    ['reset-after-headers'],
  ])('when the first one answers with %s', async (fault) => {
    const tenant = await tenantOn('gpt-4.1-mini', 'gpt-4.1')
    const answer = await post(tenant, chatPath, chatBody(`[[fault:${fault}@gpt-4.1-mini]] [[echo:ok]]`))
    expect(answer.status).toBe(200)
    expect(served(answer)).toBe('gpt-4.1-2025-04-14')
  })

  it.each([['status:500'], ['reset'], ['reset-after-headers']])(
    'a stream too, when the first answers with %s',
    async (fault) => {
      const tenant = await tenantOn('gpt-4.1-mini', 'gpt-4.1')
      const body = chatBody(`[[fault:${fault}@gpt-4.1-mini]] [[echo:ok]]`, { stream: true })
      const answer = await post(tenant, chatPath, body)
      expect(eventsOf(answer.text).at(-1)).toBe('[DONE]')
      expect(answer.text).toContain('gpt-4.1-2025-04-14')
    },
  )

  it('while the first one rests, without asking it again', async () => {
    const tenant = await tenantOn('gpt-4.1-mini', 'gpt-4.1')
    await post(tenant, chatPath, chatBody('[[fault:status:429@gpt-4.1-mini]]'))
    expect(served(await post(tenant, chatPath, chatBody()))).toBe('gpt-4.1-2025-04-14')
  })
})

describe('once a byte has gone out', () => {
  it.each([['cut'], ['mid-stream-error']])(
    'a %s ends the stream with an error event and is not replayed',
    async (fault) => {
      const tenant = await tenantOn('gpt-4.1-mini', 'gpt-4.1')
      const before = (await stack.ledger()).length
      const body = chatBody(`[[tokens:40]] [[fault:${fault}@gpt-4.1-mini]]`, { stream: true })
      const answer = await post(tenant, chatPath, body)
      expect(answer.status).toBe(200)
      const events = eventsOf(answer.text)
      expect(events.at(-1)).toMatchObject({ error: { message: expect.any(String) } })
      expect(events.filter((event) => (event as { error?: unknown }).error)).toHaveLength(1)
      expect((await stack.ledger()).slice(before).map(({ deployment }) => deployment)).toEqual(['gpt-4.1-mini'])

      const usage = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=outcome`, {
        headers: { 'api-key': tenant.apiKey },
      })
      const { rows } = (await usage.json()) as { rows: { outcome: string; calls: number; outputTokens: number }[] }
      expect(rows).toEqual([expect.objectContaining({ outcome: 'interrupted', calls: 1 })])
      expect(rows[0]?.outputTokens).toBeGreaterThan(0)
    },
  )

  it('what is no event stream ends with an error event, and the process goes on', async () => {
    const tenant = await tenantOn('gpt-4.1-mini')
    const answer = await post(tenant, chatPath, chatBody('[[fault:malformed-sse]]', { stream: true }))
    expect([200, 502]).toContain(answer.status)
    expect(answer.text).toContain('"error"')
    expect((await post(tenant, chatPath, chatBody())).status).toBe(200)
  })
})

describe('when nobody serves', () => {
  it('a throttle everywhere for longer than a call may wait is 429 with the shortest wait', async () => {
    const tenant = await tenantOn('gpt-4.1-mini', 'gpt-4.1')
    const throttled = await post(tenant, chatPath, chatBody('[[fault:status:429:30000]]'))
    expect(throttled.status).toBe(429)
    expect(throttled.json.error?.code).toBe('backends_cooling_down')
    expect(Number(throttled.headers.get('retry-after-ms'))).toBeGreaterThan(10_000)
    const resting = await post(tenant, chatPath, chatBody())
    expect(resting.status).toBe(429)
    expect(Number(resting.headers.get('retry-after-ms'))).toBeLessThanOrEqual(
      Number(throttled.headers.get('retry-after-ms')),
    )
  })

  it('a call that comes while every backend rests for a moment waits, and is served', async () => {
    const tenant = await tenantOn('gpt-4.1-mini')
    const throttled = post(tenant, chatPath, chatBody('[[fault:status:429:300]]'))
    const [, later] = await Promise.all([throttled, post(tenant, chatPath, chatBody())])
    expect(later.status).toBe(200)
  })

  it('a call that is throttled each time it has its turn is told so in the end, and nothing of it stays reserved', async () => {
    const tenant = await tenantOn('gpt-4.1-mini')
    const throttled = await post(tenant, chatPath, chatBody('[[fault:status:429:50]]'))
    expect(throttled.status).toBe(429)
    expect(throttled.json.error?.code).toBe('backends_cooling_down')
    expect(Number(throttled.headers.get('retry-after-ms'))).toBeGreaterThan(0)
    const after = await post(tenant, chatPath, chatBody())
    expect(after.status).toBe(200)
    expect(after.headers.get('x-ratelimit-remaining-requests')).not.toBeNull()
  })

  it('a failure everywhere is 502, and the circuit opens after five: what comes then waits for the probe', async () => {
    const tenant = await tenantOn('gpt-4.1')
    for (let i = 0; i < 5; i++) {
      const answer = await post(tenant, chatPath, chatBody('[[fault:status:500]]'))
      expect(answer.status).toBe(502)
      expect(answer.json.error?.code).toBe('upstream_failed')
    }
    const before = await stack.ledger()
    const open = post(tenant, chatPath, chatBody())
    await post(tenant, '/openai/v1/embeddings', { model: 'none', input: 'x' })
    expect(await stack.ledger()).toHaveLength(before.length)
    expect((await open).status).toBe(200)
  })

  it("a deployment that does not exist is the platform's fault, not the client's", async () => {
    const tenant = await tenantOn('no-such-deployment')
    const answer = await post(tenant, chatPath, chatBody())
    expect(answer.status).toBe(502)
    expect(answer.json.error?.code).toBe('upstream_rejected_us')
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(answer.text).not.toContain('no-such-deployment')
  })

  it('a residency that no backend meets is 503', async () => {
    const backend = await stack.makeBackend('gpt-4.1', { region: 'eastus2' })
    const { apiKey } = await stack.makeTenant({
      aliases: [chatAlias('chat', [[backend]])],
      residency: ['swedencentral'],
    })
    const answer = await post({ baseUrl: stack.baseUrl, apiKey }, chatPath, chatBody())
    expect(answer.status).toBe(503)
    expect(answer.json.error?.code).toBe('no_backend')
  })

  it('nothing stays reserved', async () => {
    const backend = await stack.makeBackend('gpt-4.1-mini')
    const { apiKey } = await stack.makeTenant({
      aliases: [chatAlias('chat', [[backend]])],
      limitOverrides: { concurrentCalls: 1 },
    })
    const tenant = { baseUrl: stack.baseUrl, apiKey }
    for (const fault of ['status:500', 'reset', 'status:400', 'cut']) {
      await post(tenant, chatPath, chatBody(`[[fault:${fault}]]`, { stream: fault === 'cut' }))
    }
    expect((await post(tenant, chatPath, chatBody())).status).toBe(200)
  })
})

describe('provisioned throughput', () => {
  it('is used first and spills over when it throttles', async () => {
    const [ptu, payg] = await Promise.all([
      stack.makeBackend('gpt-4.1-ptu', { capacity: 'ptu' }),
      stack.makeBackend('gpt-4.1'),
    ])
    const { apiKey } = await stack.makeTenant({ aliases: [chatAlias('chat', [[payg, ptu]])] })
    const tenant = { baseUrl: stack.baseUrl, apiKey }
    const before = (await stack.ledger()).length
    await post(tenant, chatPath, chatBody())
    await post(tenant, chatPath, chatBody('[[fault:status:429@gpt-4.1-ptu]]'))
    const deployments = (await stack.ledger()).slice(before).map(({ deployment }) => deployment)
    expect(deployments).toEqual(['gpt-4.1-ptu', 'gpt-4.1-ptu', 'gpt-4.1'])
  })
})
