import type { ServerResponse } from 'node:http'
import { OpenAI } from 'openai'
import { eventually } from '../../conformance/eventually'
import { post, type RawAnswer } from '../../harness/call'
import { chatAlias, startTestStack, type TestStack } from '../../harness/stack'
import { scriptedBackend, type ScriptedBackend } from '../../inference/scripted-backend'

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

const path = '/openai/v1/responses'
let made = 0

/** A server that keeps nothing and answers as one that does. */
function answer(response: ServerResponse, more: object = {}): void {
  made += 1
  const object = {
    id: `resp_upstream${made}`,
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'm',
    output: [{ type: 'message', id: `msg_upstream${made}`, role: 'assistant', content: [] }],
    usage: { input_tokens: 5, output_tokens: 2, total_tokens: 7 },
    ...more,
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(object))
}

const servers: ScriptedBackend[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function server(script: (response: ServerResponse, path: string) => void = (response) => answer(response)) {
  const backend = await scriptedBackend('m', (response, request) => script(response, request.url ?? ''))
  servers.push(backend)
  const id = await stack.makeBackend('the-deployment', {
    api: { kind: 'openai-compatible' },
    endpoint: backend.backend.endpoint,
    credential: { kind: 'none' },
  })
  const bodies = () => backend.calls.filter((body) => body.startsWith('{'))
  return {
    id,
    raw: () => bodies().join('\n'),
    sent: () => bodies().map((body) => JSON.parse(body) as Record<string, unknown>),
  }
}

async function tenantAt(groups: readonly (readonly string[])[], more: object = {}) {
  const { apiKey } = await stack.makeTenant({ aliases: [chatAlias('chat', groups, more)] })
  const target = { baseUrl: stack.baseUrl, apiKey }
  return {
    apiKey,
    create: (body: object): Promise<RawAnswer> => post(target, path, { model: 'chat', input: 'x', ...body }),
  }
}

describe('what reaches an account', () => {
  it('has its own ids in place of ours, the deployment’s name and the cap, and is otherwise as the client wrote it', async () => {
    const { id, sent } = await server()
    const tenant = await tenantAt([[id]])
    const first = await tenant.create({ max_output_tokens: 50, seed: 1 })
    const second = await tenant.create({ previous_response_id: first.json['id'] })
    expect(sent()).toEqual([
      { model: 'the-deployment', input: 'x', max_output_tokens: 50, seed: 1 },
      {
        model: 'the-deployment',
        input: 'x',
        max_output_tokens: 1_000,
        previous_response_id: `resp_upstream${made - 1}`,
      },
    ])
    expect(second.json).toMatchObject({ status: 'completed', id: expect.not.stringContaining('upstream') })
  })

  it('has the ids of items that the tenant got, and none that nobody has proven', async () => {
    const { id, sent } = await server()
    const tenant = await tenantAt([[id]])
    const first = await tenant.create({})
    const [item] = first.json['output'] as [{ id: string }]
    const own = { type: 'message', id: item.id, role: 'assistant', content: 'one' }
    const others = { type: 'message', id: 'msg_of_nobody', role: 'assistant', content: 'two' }
    const named = { type: 'item_reference', id: item.id }
    const nameless = ({ id: _, ...rest }: { id: string }) => rest
    expect((await tenant.create({ input: [named, own, others] })).status).toBe(200)
    expect(sent()[1]?.['input']).toEqual([named, own, nameless(others)])
    // Where all of them say all that they are, none needs an id.
    expect((await tenant.create({ input: [own, others] })).status).toBe(200)
    expect(sent()[2]?.['input']).toEqual([nameless(own), nameless(others)])
    expect((await tenant.create({ input: [{ type: 'item_reference', id: 'msg_of_nobody' }] })).status).toBe(404)
    expect(sent()).toHaveLength(3)
  })

  it.each([
    ['an item', 'input', '[{"type":"item_reference","id":"msg_of_nobody","id":null}]'],
    [
      'a file',
      'input',
      '[{"role":"user","content":[{"type":"input_file","file_id":"file-of-nobody","file_id":null}]}]',
    ],
    ['a store', 'tools', '[{"type":"web_search","vector_store_ids":["vs_1"],"vector_store_ids":null}]'],
    ['a tool', 'tools', '[{"type":"unknown_to_us","type":"web_search"}]'],
    ['a file in escapes', 'tools', '[{"type":"web_search","\\u0066ile_id":"file-of-nobody","file_id":null}]'],
  ])('is what was looked at, where %s is named by the first of two keys', async (_name, field, value) => {
    const { id, raw } = await server()
    const { apiKey } = await stack.makeTenant({ aliases: [chatAlias('chat', [[id]])] })
    const rest = field === 'input' ? '' : '"input":"x",'
    await post({ baseUrl: stack.baseUrl, apiKey }, path, `{"model":"chat",${rest}"${field}":${value}}`)
    expect(raw()).toContain('the-deployment')
    expect(raw()).not.toMatch(/of_nobody|of-nobody|vs_1|unknown_to_us/)
  })

  it('of a chat is what was looked at too', async () => {
    const { id, raw } = await server()
    const { apiKey } = await stack.makeTenant({ aliases: [chatAlias('chat', [[id]])] })
    const file = '{"type":"file","file":{"file_id":"file-of-nobody","file_id":null}}'
    const spoken = '{"role":"assistant","audio":{"id":"audio_of_nobody"},"audio":null,"content":"x"}'
    const body = `{"model":"chat","messages":[{"role":"user","content":[${file}]},${spoken}]}`
    await post({ baseUrl: stack.baseUrl, apiKey }, '/openai/v1/chat/completions', body)
    expect(raw()).toContain('"messages"')
    expect(raw()).not.toMatch(/nobody/)
  })

  it('has files of the tenant’s by the names of their copies, which its answers show by ours', async () => {
    const files: string[] = []
    const { id, sent } = await server((response, url) => {
      if (!url.startsWith('/files')) {
        return answer(response, { tools: [{ type: 'code_interpreter', container: { file_ids: ['file-copy1'] } }] })
      }
      if (files.length === 0) files.push('file-copy1')
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ id: 'file-copy1', object: 'file', status: 'processed' }))
    })
    const tenant = await tenantAt([[id]])
    const client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey, maxRetries: 0 })
    const file = await client.files.create({ file: new File(['hello'], 'a.txt'), purpose: 'user_data' })
    const parts = (file_id: string) => [{ role: 'user', content: [{ type: 'input_file', file_id }] }]
    const tools = [{ type: 'code_interpreter', container: { type: 'auto', file_ids: [file.id] } }]
    const got = await tenant.create({ input: parts(file.id), tools })
    expect(got.status).toBe(200)
    expect(sent().at(-1)).toMatchObject({
      input: parts('file-copy1'),
      tools: [{ container: { file_ids: ['file-copy1'] } }],
    })
    expect(got.json['tools']).toEqual([{ type: 'code_interpreter', container: { file_ids: [file.id] } }])

    const chat = await client.chat.completions
      .create({ model: 'chat', messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: file.id } }] }] })
      .catch((error: unknown) => error)
    expect(chat).toBeDefined()
    expect(sent().at(-1)).toMatchObject({ messages: [{ content: [{ file: { file_id: 'file-copy1' } }] }] })
  })
})

describe('a conversation stays where it is', () => {
  it('whichever backends its alias has, and says so when that account no longer serves it', async () => {
    const [a, b] = [await server(), await server()]
    const tenant = await tenantAt([[a.id, b.id]])
    const first = await tenant.create({})
    const [home, away] = a.sent().length === 1 ? [a, b] : [b, a]
    let previous = first
    for (let turn = 0; turn < 8; turn++) previous = await tenant.create({ previous_response_id: previous.json['id'] })
    expect([home.sent().length, away.sent().length]).toEqual([9, 0])

    const backend = `/api/platform/backends/${home.id}`
    await fetch(stack.baseUrl + backend, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${stack.operatorToken}`,
        'content-type': 'application/merge-patch+json',
        'if-match': '*',
      },
      body: JSON.stringify({ enabled: false }),
    })
    const refused = await eventually('the backend is out of use', async () => {
      const next = await tenant.create({ previous_response_id: previous.json['id'] })
      return next.status === 200 ? undefined : next
    })
    expect(refused).toMatchObject({ status: 503, json: { error: { code: 'no_backend' } } })
    expect(refused.json.error?.message).toContain('goes on from')
    expect((await tenant.create({})).status).toBe(200)
  })

  it('and is refused where it would be at two accounts', async () => {
    const [a, b] = [await server(), await server()]
    const one = chatAlias('one', [[a.id]])
    const two = chatAlias('two', [[b.id]])
    const { apiKey } = await stack.makeTenant({ aliases: [one, two] })
    const create = (model: string, body: object) => post({ baseUrl: stack.baseUrl, apiKey }, path, { model, ...body })
    const [first, second] = [await create('one', { input: 'x' }), await create('two', { input: 'x' })]
    const [item] = second.json['output'] as [{ id: string }]
    const input = [{ type: 'item_reference', id: item.id }]
    const both = await create('one', { previous_response_id: first.json['id'], input })
    expect(both).toMatchObject({ status: 400, json: { error: { param: 'input' } } })
  })
})

describe('an answer that fails', () => {
  it('of no response object is the backend’s failure', async () => {
    const { id } = await server((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"chat.completion"}')
    })
    expect(await (await tenantAt([[id]])).create({})).toMatchObject({
      status: 502,
      json: { error: { code: 'upstream_failed' } },
    })
  })

  it('about what it goes on from is told by our id', async () => {
    const { id, sent } = await server((response) => {
      if (sent().length === 1) return answer(response)
      const message = `Previous response with id 'resp_upstream${made}' not found.`
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'previous_response_not_found' } }))
    })
    const tenant = await tenantAt([[id]])
    const first = await tenant.create({})
    const next = await tenant.create({ previous_response_id: first.json['id'] })
    expect(next.status).toBe(404)
    expect(next.json.error?.message).toBe(`Previous response with id '${String(first.json['id'])}' not found.`)
  })

  it('in the middle of a stream ends with response.failed, under our id and the next number', async () => {
    const tenant = await stack.makeTenant()
    const answer = await post({ baseUrl: stack.baseUrl, apiKey: tenant.apiKey }, path, {
      model: 'chat',
      input: '[[tokens:50]] [[fault:cut]]',
      stream: true,
    })
    const events = answer.text
      .split('\n\n')
      .filter(Boolean)
      .map((event) => JSON.parse(event.slice(event.indexOf('{'))) as { type: string; sequence_number: number })
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at))
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { id: expect.stringMatching(/^resp_[0-9a-z]{26}$/), error: { code: 'server_error' } },
    })
  })

  it('by a throttle in place of its first token is asked of another backend', async () => {
    const [mini, other] = [await stack.makeBackend('gpt-4.1-mini'), await stack.makeBackend('gpt-4.1')]
    const tenant = await tenantAt([[mini], [other]])
    const input = 'Hi [[echo:Hello there]] [[fault:throttled-stream@gpt-4.1-mini]]'
    const answer = await tenant.create({ input, stream: true })
    expect(answer.text).toContain('"type":"response.completed"')
    expect(answer.text).not.toContain('"type":"response.failed"')
  })
})

it('a stored response is never asked of two backends at once, and one that is not stored may be', async () => {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  let isLongEnough = () => true
  const answerSlowly = async (response: ServerResponse) => {
    do await pause(600)
    while (!isLongEnough())
    answer(response)
  }
  const slow = await server((response) => void answerSlowly(response))
  const quick = await server()
  const tenant = await tenantAt([[slow.id], [quick.id]], { hedge: { afterMs: 100, shareMax: 0.2 } })
  const streams = (more: object) =>
    Promise.all(Array.from({ length: 8 }, () => tenant.create({ stream: true, ...more })))
  await streams({})
  expect([slow.sent().length, quick.sent().length]).toEqual([8, 0])
  isLongEnough = () => quick.sent().length > 0
  await streams({ store: false })
  expect(quick.sent().length).toBeGreaterThan(0)
})
