import fc from 'fast-check'
import { chatBody, chatPath, post } from '../../harness/call'
import { chatAlias, startTestStack, type TestStack, type TestTenant } from '../../harness/stack'

let stack: TestStack
let tenant: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  tenant = await stack.makeTenant()
})
afterAll(() => stack.stop())

const us = () => ({ baseUrl: stack.baseUrl, apiKey: tenant.apiKey })

describe('401: a credential that proves nothing', () => {
  it.each([
    ['none', {}],
    ['an empty one', { 'api-key': '' }],
    ['nonsense', { 'api-key': 'nonsense' }],
    ['a made-up key of the right shape', { 'api-key': `tnk_${'0'.repeat(26)}_${'1'.repeat(26)}_${'2'.repeat(40)}` }],
    ['a JSON Web Token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.x' }],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
  ])('%s', async (_case, headers) => {
    const answer = await post({ baseUrl: stack.baseUrl }, chatPath, chatBody(), headers)
    expect(answer.status).toBe(401)
    expect(answer.json.error).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error', param: null })
  })

  it('a key with one character changed', async () => {
    const { apiKey } = tenant
    const changed = apiKey.slice(0, -1) + (apiKey.endsWith('a') ? 'b' : 'a')
    expect((await post({ ...us(), apiKey: changed }, chatPath, chatBody())).status).toBe(401)
  })
})

describe('400: what the client can do wrong', () => {
  it.each([
    ['malformed JSON', chatPath, '{"model":', 'invalid_json'],
    ['no JSON object', chatPath, '[1]', 'invalid_json'],
    ['an empty body', chatPath, '', 'invalid_json'],
    ['a field twice', chatPath, '{"model":"chat","model":"chat","messages":[{}]}', 'invalid_request'],
    ['no messages', chatPath, { model: 'chat' }, 'invalid_request'],
    ['no api-version', '/openai/deployments/chat/chat/completions', chatBody(), 'invalid_api_version'],
    ['a bad api-version', '/openai/deployments/chat/chat/completions?api-version=x', chatBody(), 'invalid_api_version'],
    ['too many output tokens', chatPath, chatBody('x', { max_tokens: 1_001 }), 'output_tokens_above_cap'],
    ['embeddings of a chat alias', '/openai/v1/embeddings', { model: 'chat', input: 'x' }, 'unsupported_parameter'],
  ])('%s', async (_case, path, body, code) => {
    const answer = await post(us(), path, body)
    expect(answer.status).toBe(400)
    expect(answer.json.error?.code).toBe(code)
  })

  it("the provider's own 400 is passed on as it came", async () => {
    const answer = await post(us(), chatPath, chatBody('[[filter:prompt]]'))
    expect(answer.status).toBe(400)
    expect(answer.json.error).toMatchObject({
      code: 'content_filter',
      innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: {} },
    })
  })

  it('a call that no wait could admit', async () => {
    const { apiKey } = await stack.makeTenant({ limitOverrides: { tokensPerMinute: 500 } })
    const answer = await post({ ...us(), apiKey }, chatPath, chatBody('x', { max_tokens: 900 }))
    expect(answer.status).toBe(400)
    expect(answer.json.error?.code).toBe('request_above_token_limit')
  })
})

describe('404, 405, 413: what is not there or not taken', () => {
  it.each([
    ['an unknown alias', chatPath, chatBody('x', { model: 'nope' }), 404, 'DeploymentNotFound'],
    ['the deployment behind an alias', chatPath, chatBody('x', { model: 'gpt-4.1-mini' }), 404, 'DeploymentNotFound'],
    ['a prototype name', chatPath, chatBody('x', { model: '__proto__' }), 404, 'DeploymentNotFound'],
    ['an unknown path', '/openai/v1/nothing', chatBody(), 404, 'not_found'],
    ['a path of a later surface', '/openai/v1/threads', {}, 404, 'not_found'],
    ['a wrong method', '/openai/v1/models', {}, 405, 'method_not_allowed'],
  ])('%s', async (_case, path, body, status, code) => {
    const answer = await post(us(), path, body)
    expect(answer.status).toBe(status)
    expect(answer.json.error?.code).toBe(code)
  })

  it('a body of 30 MB, and one of 100 MB with no credential, are refused without being kept', async () => {
    const large = Buffer.alloc(30 * 1024 * 1024, 0x20)
    const answer = await post(us(), chatPath, large)
    expect(answer.status).toBe(413)
    expect(answer.json.error?.code).toBe('body_too_large')
    const anonymous = await post({ baseUrl: stack.baseUrl }, chatPath, Buffer.alloc(99 * 1024 * 1024, 0x20)).catch(
      () => ({ status: 401 }),
    )
    expect(anonymous.status).toBe(401)
  })
})

describe('403: a tenant or key that may not', () => {
  it('a suspended tenant, and the same tenant resumed', async () => {
    const made = await stack.makeTenant()
    const call = () => post({ ...us(), apiKey: made.apiKey }, chatPath, chatBody())
    expect((await call()).status).toBe(200)
    await stack.platform.post(`/tenants/${made.tenantId}/suspend`, undefined)
    const refused = await call()
    expect(refused.status).toBe(403)
    expect(refused.json.error?.code).toBe('tenant_not_active')
    await stack.platform.post(`/tenants/${made.tenantId}/resume`, undefined)
    expect((await call()).status).toBe(200)
  })
})

describe('429: limits', () => {
  it('bite on the call after the last one, with a true wait and the rate headers', async () => {
    const { apiKey } = await stack.makeTenant({ limitOverrides: { requestsPerMinute: 3 } })
    const startedMs = performance.now()
    const answers = await Promise.all(Array.from({ length: 8 }, () => post({ ...us(), apiKey }, chatPath, chatBody())))
    const tookMs = performance.now() - startedMs
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
    const refused = answers.find(({ status }) => status === 429)
    expect(refused?.json.error).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' })
    const waitMs = Number(refused?.headers.get('retry-after-ms'))
    // Until the first of them is a minute old.
    expect(waitMs).toBeGreaterThan(58_000 - tookMs)
    expect(waitMs).toBeLessThanOrEqual(60_000)
    expect(refused?.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  })

  it("of one tenant leave another tenant's calls alone", async () => {
    const [noisy, calm] = await Promise.all([
      stack.makeTenant({ limitOverrides: { requestsPerMinute: 2 } }),
      stack.makeTenant({ limitOverrides: { requestsPerMinute: 20 } }),
    ])
    const flood = Array.from({ length: 50 }, () => post({ ...us(), apiKey: noisy.apiKey }, chatPath, chatBody()))
    const calls = Array.from({ length: 20 }, () => post({ ...us(), apiKey: calm.apiKey }, chatPath, chatBody()))
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect((await Promise.all(flood)).filter(({ status }) => status === 200)).toHaveLength(2)
  })
})

it('whatever is sent, the answer is an OpenAI-shaped error or a completion, and nothing stays reserved', async () => {
  const { apiKey } = await stack.makeTenant({
    limitOverrides: { concurrentCalls: 2, requestsPerMinute: 100_000, tokensPerMinute: 10_000_000 },
  })
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record(
        {
          model: fc.constantFrom('chat', 'embed', 'x'),
          messages: fc.jsonValue(),
          stream: fc.jsonValue(),
          max_tokens: fc.jsonValue(),
          n: fc.jsonValue(),
          stream_options: fc.jsonValue(),
          tools: fc.jsonValue(),
        },
        { requiredKeys: ['model'] },
      )
      .map((value) => JSON.stringify(value)),
  )
  const path = fc.constantFrom(
    chatPath,
    '/openai/v1/embeddings',
    '/openai/deployments/chat/chat/completions?api-version=v1',
  )
  await fc.assert(
    fc.asyncProperty(path, body, async (url, text) => {
      const answer = await post({ ...us(), apiKey }, url, text)
      expect(answer.status).toBeLessThan(500)
      if (answer.status >= 400) expect(typeof answer.json.error?.message).toBe('string')
    }),
    { numRuns: 150 },
  )
  const calls = await Promise.all([1, 2].map(() => post({ ...us(), apiKey }, chatPath, chatBody())))
  expect(calls.map(({ status }) => status)).toEqual([200, 200])
})

it('a hostile header or path never reaches a log line as text, nor a key any log line at all', async () => {
  const marker = 'SECRET-MARKER-7719'
  await post(us(), `/openai/v1/${marker}-path`, chatBody(marker))
  await post(us(), chatPath, chatBody(`${marker} [[fault:status:500]]`))
  await post(us(), chatPath, `{"model":"chat","messages":"${marker}`)
  const log = stack.lines.join('\n')
  expect(log).not.toContain(marker)
  expect(log).not.toContain(tenant.apiKey)
  expect(log).toContain('a backend failed before its first byte')
})

it('an alias that the key may not use looks like one that does not exist', async () => {
  const backend = await stack.makeBackend('gpt-4.1')
  const made = await stack.makeTenant({ aliases: [chatAlias('chat', [[backend]]), chatAlias('secret', [[backend]])] })
  const { apiKey } = await stack.platform.post<{ apiKey: string }>(`/tenants/${made.tenantId}/keys`, {
    name: 'chat only',
    scopes: ['inference'],
    aliases: ['chat'],
  })
  const foreign = await post({ ...us(), apiKey }, chatPath, chatBody('x', { model: 'secret' }))
  const unknown = await post({ ...us(), apiKey }, chatPath, chatBody('x', { model: 'sesame' }))
  expect(foreign.status).toBe(404)
  expect(foreign.text.replaceAll('secret', 'sesame')).toBe(unknown.text)
  const models = await fetch(`${stack.baseUrl}/openai/v1/models`, { headers: { 'api-key': apiKey } })
  expect(((await models.json()) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(['chat'])
})
