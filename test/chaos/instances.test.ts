import { chatBody, chatPath, post } from '../harness/call'
import { chatAlias, startTestStack, type TestStack } from '../harness/stack'
import { json, scriptedBackend } from '../inference/scripted-backend'

let stack: TestStack
let baseUrls: string[]

beforeAll(async () => {
  stack = await startTestStack()
  const second = await stack.startInstance()
  baseUrls = [stack.baseUrl, second.baseUrl]
})
afterAll(() => stack.stop())

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 0,
  model: 'held',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 },
}

const usageOf = async (apiKey: string, query = '') => {
  const answer = await fetch(`${baseUrls[1]}/api/tenant/usage${query}`, { headers: { 'api-key': apiKey } })
  return (await answer.json()) as { totals: { calls: number; promptTokens: number; outputTokens: number } }
}

describe('two processes of the app on one storage', () => {
  it('admit together no more requests than the limit, and nearly all of it', async () => {
    const limit = 60
    const { apiKey } = await stack.makeTenant({ limitOverrides: { requestsPerMinute: limit } })
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 15))
        return (await post({ baseUrl: baseUrls[i % 2] ?? '', apiKey }, chatPath, chatBody())).status
      }),
    )
    const served = statuses.filter((status) => status === 200).length
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([])
    expect(served).toBeLessThanOrEqual(limit)
    expect(served).toBeGreaterThanOrEqual(limit * 0.95)
  })

  it('admit together no more tokens than the limit', async () => {
    const { apiKey } = await stack.makeTenant({ limitOverrides: { tokensPerMinute: 5_000 } })
    // Long words are fewer tokens than their length says: what is used is never more than what was reserved.
    const prompt = `[[tokens:100]] ${'internationalization '.repeat(2)}`
    const calls = Array.from({ length: 80 }, (_, i) =>
      post({ baseUrl: baseUrls[i % 2] ?? '', apiKey }, chatPath, chatBody(prompt, { max_tokens: 100 })),
    )
    await Promise.all(calls)
    const { totals } = await usageOf(apiKey)
    expect(totals.promptTokens + totals.outputTokens).toBeLessThanOrEqual(5_000)
    expect(totals.calls).toBeGreaterThan(30)
  })

  it('never run more calls at once than the limit', async () => {
    const held: (() => void)[] = []
    let refused = 0
    // Whoever runs goes on running until all others have been refused.
    const answerAll = () => {
      if (held.length + refused === 30) for (const answer of held) answer()
    }
    const backend = await scriptedBackend('held', (response, request) => {
      held.push(() => json(200, completion)(response, request))
      answerAll()
    })
    const { endpoint, api, credential } = backend.backend
    const backendId = await stack.makeBackend('held', { endpoint, api, credential })
    const { apiKey } = await stack.makeTenant({
      aliases: [chatAlias('chat', [[backendId]])],
      limitOverrides: { concurrentCalls: 4 },
    })
    const calls = Array.from({ length: 30 }, async (_, i) => {
      const { status } = await post({ baseUrl: baseUrls[i % 2] ?? '', apiKey }, chatPath, chatBody())
      if (status !== 200) {
        refused += 1
        answerAll()
      }
      return status
    })
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200, 429]))
    await backend.close()
    expect(held.length).toBeLessThanOrEqual(4)
  })

  it("meter together exactly, and each one's query knows the other's calls", async () => {
    const { apiKey } = await stack.makeTenant()
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        post(
          { baseUrl: baseUrls[i % 2] ?? '', apiKey },
          chatPath,
          chatBody(`[[tokens:${i + 1}]]`, { stream: i % 3 === 0 }),
        ),
      ),
    )
    expect((await usageOf(apiKey)).totals).toMatchObject({ calls: 50, outputTokens: (50 * 51) / 2 })
  })

  it('both refuse a revoked key within 30 s', async () => {
    const { tenantId, apiKey } = await stack.makeTenant()
    const admin = { 'api-key': apiKey, 'content-type': 'application/json' }
    const made = await fetch(`${stack.baseUrl}/api/tenant/keys`, {
      method: 'POST',
      headers: admin,
      body: JSON.stringify({ name: 'short-lived', scopes: ['inference'] }),
    })
    const key = (await made.json()) as { keyId: string; apiKey: string }
    const call = (baseUrl = '') => post({ baseUrl, apiKey: key.apiKey }, chatPath, chatBody())
    expect(await Promise.all(baseUrls.map(async (url) => (await call(url)).status))).toEqual([200, 200])

    const revoked = Date.now()
    await fetch(`${stack.baseUrl}/api/tenant/keys/${key.keyId}`, {
      method: 'DELETE',
      headers: { ...admin, 'if-match': '*' },
    })
    expect((await call(baseUrls[0])).status).toBe(401)
    let status = 200
    while (status === 200 && Date.now() - revoked < 30_000) {
      status = (await call(baseUrls[1])).status
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    expect(status).toBe(401)
    expect(tenantId).toMatch(/^ten_/)
  })
})
