import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { chatAlias, startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { startCollector, type CollectedSpan, type Collector } from './collector'

/** Words that stand nowhere else: whatever is found of them has leaked. */
const secrets = {
  prompt: `prompt-${randomBytes(8).toString('hex')}`,
  answer: `answer-${randomBytes(8).toString('hex')}`,
  email: `somebody-${randomBytes(8).toString('hex')}@leak.example`,
  secretValue: `upstream-${randomBytes(16).toString('hex')}`,
  backendError: `quoted-${randomBytes(8).toString('hex')}`,
  unknownModel: `model-${randomBytes(8).toString('hex')}`,
  requestId: `request-${randomBytes(8).toString('hex')}`,
}
const CLIENT_TRACE = randomBytes(16).toString('hex')
const CLIENT_SPAN = randomBytes(8).toString('hex')

let stack: TestStack
let collector: Collector
let insights: Collector
let upstream: Awaited<ReturnType<typeof startUpstream>>
let tenant: TestTenant
const statuses: Record<string, number> = {}

/** A server whose answers say what must not leak, and which keeps the headers that it was sent. */
async function startUpstream() {
  const seen: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push(request.headers)
      const body = Buffer.concat(chunks).toString()
      const fails = body.includes('please-fail')
      response.writeHead(fails ? 500 : 200, { 'content-type': 'application/json' })
      if (fails) return void response.end(JSON.stringify({ error: { code: 'boom', message: secrets.backendError } }))
      response.end(
        JSON.stringify({
          id: 'chatcmpl-1',
          object: 'chat.completion',
          created: 1,
          model: 'gpt-4.1-mini',
          choices: [{ index: 0, message: { role: 'assistant', content: secrets.answer }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 11, completion_tokens: 22, total_tokens: 33 },
        }),
      )
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, seen, stop: () => new Promise((resolve) => server.close(resolve)) }
}

async function chat(
  name: string,
  { body = {}, headers = {} }: { body?: object; headers?: Record<string, string> } = {},
) {
  const answer = await fetch(`${stack.baseUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': tenant.apiKey, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: secrets.prompt }], ...body }),
  })
  statuses[name] = answer.status
  return answer.text()
}

beforeAll(async () => {
  ;[collector, insights, upstream] = await Promise.all([startCollector(), startCollector(), startUpstream()])
  stack = await startTestStack({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)};IngestionEndpoint=${insights.url}/`,
    TENANTRY_TRACE_SAMPLE_RATIO: '1',
  })
  const own = await stack.makeBackend('gpt-4.1-mini', { endpoint: upstream.url, api: { kind: 'openai-compatible' } })
  const simulated = await stack.makeBackend('gpt-4.1-mini')
  tenant = await stack.makeTenant({ displayName: secrets.email })
  await stack.platform.patch(`/tenants/${tenant.tenantId}`, {
    contact: { email: secrets.email },
    aliases: [chatAlias('chat', [[own]]), chatAlias('streamed', [[simulated]])],
  })

  // The alias reaches this instance within seconds of its change.
  const deadline = Date.now() + 240_000
  while (upstream.seen.length === 0 && Date.now() < deadline) {
    await chat('first')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await chat('traced', {
    headers: {
      traceparent: `00-${CLIENT_TRACE}-${CLIENT_SPAN}-01`,
      tracestate: 'vendor=opaque',
      'x-request-id': secrets.requestId,
    },
  })
  await chat('streamed', { body: { model: 'streamed', stream: true } })
  // Without a traceparent of the client's it belongs to no trace of ours.
  await chat('failed', { body: { user: 'please-fail' }, headers: { tracestate: 'vendor=orphan' } })
  await chat('unknown', { body: { model: secrets.unknownModel } })
  await chat('refused', { headers: { 'api-key': `${tenant.apiKey.slice(0, -4)}aaaa` } })
  await fetch(`${stack.baseUrl}/api/tenant/secrets/upstream`, {
    method: 'PUT',
    headers: { 'api-key': tenant.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ value: secrets.secretValue }),
  })
  await stack.platform.post(`/tenants/${tenant.tenantId}/keys`, {
    name: secrets.email.slice(0, 30),
    scopes: ['inference'],
  })
  await fetch(`${stack.baseUrl}/api/platform/tenants/${encodeURIComponent(secrets.email)}`, {
    headers: { authorization: `Bearer ${stack.operatorToken}` },
  })
  // What is not sent yet is sent when the process ends.
  await stack.stop()
})

afterAll(() => Promise.all([collector.stop(), insights.stop(), upstream.stop()]))

const spanOf = (test: (span: CollectedSpan) => boolean) => collector.spans().find(test)

test('all of it happened', () => {
  expect(statuses).toMatchObject({ traced: 200, streamed: 200, failed: 502, unknown: 404, refused: 401 })
})

test('one trace leads from the client’s span through ours to the backend', () => {
  const own = spanOf(({ traceId, kind }) => traceId === CLIENT_TRACE && kind === 2)
  expect(own).toMatchObject({ parentSpanId: CLIENT_SPAN, name: 'chat gpt-4.1-mini' })
  const parts = collector.spans().filter(({ parentSpanId }) => parentSpanId === own?.spanId)
  expect(parts.map(({ name }) => name).sort()).toEqual(['metering durable', 'relay', 'upstream attempt'])
  expect(new Set(parts.map(({ traceId }) => traceId))).toEqual(new Set([CLIENT_TRACE]))
  const attempt = parts.find(({ name }) => name === 'upstream attempt')
  const told = upstream.seen.map(({ traceparent, tracestate }) => ({ traceparent, tracestate }))
  expect(told).toContainEqual({
    traceparent: `00-${CLIENT_TRACE}-${attempt?.spanId}-01`,
    tracestate: 'vendor=opaque',
  })
  expect(told.filter(({ tracestate }) => tracestate !== undefined)).toHaveLength(1)
})

test('a call’s span says what it used and whose it is, by ids', () => {
  expect(spanOf(({ traceId, kind }) => traceId === CLIENT_TRACE && kind === 2)?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4.1-mini',
    'gen_ai.usage.input_tokens': 11,
    'gen_ai.usage.output_tokens': 22,
    'tenantry.tenant': tenant.tenantId,
    'tenantry.key': tenant.keyId,
    'tenantry.alias': 'chat',
    'http.response.status_code': 200,
  })
})

test('streams, failures, refusals, the control plane and timers have spans too', () => {
  const ofTenant = collector.spans().filter(({ attributes }) => attributes['tenantry.tenant'] === tenant.tenantId)
  expect(ofTenant.some(({ attributes }) => attributes['tenantry.alias'] === 'streamed')).toBe(true)
  expect(ofTenant.find(({ attributes }) => attributes['tenantry.outcome'] === 'failed')?.status.code).toBe(2)
  const codes = collector.spans().map(({ attributes }) => attributes['http.response.status_code'])
  expect(codes).toEqual(expect.arrayContaining([401, 404, 502]))
  expect(spanOf(({ name }) => name === 'POST api/platform/tenants/{tenantId}/keys')?.attributes).toMatchObject({
    'tenantry.tenant': tenant.tenantId,
    'http.response.status_code': 201,
  })
})

test('metrics count them, and tell how the instance stands', () => {
  const calls = collector
    .points('tenantry.calls')
    .filter(({ attributes }) => attributes['tenantry.tenant'] === tenant.tenantId)
  expect(calls.map(({ attributes }) => attributes['tenantry.outcome'])).toEqual(
    expect.arrayContaining(['completed', 'failed']),
  )
  expect(collector.points('gen_ai.client.token.usage').length).toBeGreaterThan(0)
  expect(collector.points('tenantry.refusals').map(({ attributes }) => attributes['error.type'])).toContain(
    'DeploymentNotFound',
  )
  for (const gauge of ['tenantry.calls.active', 'tenantry.body_room.held', 'tenantry.usage_log.overdue'])
    expect(collector.points(gauge).at(-1)?.asDouble).toBeGreaterThanOrEqual(0)
  expect(collector.points('nodejs.eventloop.utilization').at(-1)?.asDouble).toBeLessThanOrEqual(1)
})

test('nothing that leaves holds a prompt, an answer, a key, a token or an address', () => {
  const all = [...collector.received, ...insights.received]
  expect(collector.received.length).toBeGreaterThan(1)
  expect(insights.received.length).toBeGreaterThan(1)
  const text = all.map(({ body, path, headers }) => `${path}\n${JSON.stringify(headers)}\n${body}`).join('\n')
  // That it is looked through is shown by what may stand there.
  expect(text).toContain(tenant.tenantId)
  const keys = [tenant.apiKey, tenant.apiKey.slice(8), stack.operatorToken, 'contact', '@test.example', '@leak.example']
  for (const word of [...Object.values(secrets), ...keys])
    expect(text.includes(word) ? word : 'not there').toBe('not there')
})

test('log lines of requests and of failed attempts name their trace', () => {
  const line = stack.lines.find((one) => one.includes('"message":"request"') && one.includes('/api/platform/tenants'))
  expect(line).toMatch(/"traceId":"[0-9a-f]{32}"/)
  const failed = stack.lines.find((one) => one.includes('a backend failed before its first byte'))
  const { traceId } = spanOf(({ attributes }) => attributes['tenantry.outcome'] === 'failed') ?? {}
  expect(failed).toContain(`"traceId":"${traceId}"`)
})
