import * as openai7 from 'openai'
import * as openai6 from 'openai-6'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

let stack: TestStack
let tenant: TestTenant
let other: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  ;[tenant, other] = await Promise.all([stack.makeTenant(), stack.makeTenant()])
})
afterAll(() => stack.stop())

const majors = { 'openai 7': openai7, 'openai 6': openai6 as unknown as typeof openai7 }
const clients = Object.entries(majors).flatMap(([name, sdk]) => [
  {
    name: `${name} AzureOpenAI with a preview version`,
    sdk,
    make: (apiKey?: string): openai7.OpenAI =>
      new sdk.AzureOpenAI({
        endpoint: stack.baseUrl,
        apiKey: apiKey ?? tenant.apiKey,
        apiVersion: '2025-04-01-preview',
        maxRetries: 0,
      }),
  },
  {
    name: `${name} AzureOpenAI with a version from before responses`,
    sdk,
    make: (apiKey?: string): openai7.OpenAI =>
      new sdk.AzureOpenAI({
        endpoint: stack.baseUrl,
        apiKey: apiKey ?? tenant.apiKey,
        apiVersion: '2024-10-21',
        maxRetries: 0,
      }),
  },
  {
    name: `${name} OpenAI on v1`,
    sdk,
    make: (apiKey?: string): openai7.OpenAI =>
      new sdk.OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: apiKey ?? tenant.apiKey, maxRetries: 0 }),
  },
])

const OURS = /^resp_[0-9a-hjkmnp-tv-z]{26}$/
const hello = 'Say hello [[echo:Hello there]]'
const weather = {
  type: 'function' as const,
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
}
const caught = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error)

describe.each(clients)('$name', ({ sdk, make }) => {
  it('gets a response under an id of the platform, with usage', async () => {
    const response = await make().responses.create({ model: 'chat', input: hello })
    expect(response.id).toMatch(OURS)
    expect(response).toMatchObject({ status: 'completed', output_text: 'Hello there', usage: { output_tokens: 2 } })
  })

  it('streams one, every event numbered and naming the same id', async () => {
    const stream = await make().responses.create({ model: 'chat', input: hello, stream: true })
    const events = await Array.fromAsync(stream)
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at))
    const ids = events.flatMap((event) => ('response' in event ? [event.response.id] : []))
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(OURS)
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { usage: { output_tokens: 2 } } })
    const text = events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')
    expect(text).toBe('Hello there')
  })

  it('calls tools, and goes on from a response by its id', async () => {
    const first = await make().responses.create({
      model: 'chat',
      input: 'What is the weather?',
      tools: [weather],
      tool_choice: 'required',
    })
    const call = first.output.find((item) => item.type === 'function_call')
    if (call?.type !== 'function_call') throw new Error('no call')
    const second = await make().responses.create({
      model: 'chat',
      previous_response_id: first.id,
      tools: [weather],
      input: [{ type: 'function_call_output', call_id: call.call_id, output: '{"sky":"blue"}' }],
    })
    expect(second.previous_response_id).toBe(first.id)
    expect(second.usage?.input_tokens).toBeGreaterThan(first.usage?.input_tokens ?? Infinity)
  })

  it('retrieves, lists the input of, and deletes what it stored', async () => {
    const client = make()
    const made = await client.responses.create({ model: 'chat', input: hello })
    const next = await client.responses.create({ model: 'chat', input: hello, previous_response_id: made.id })
    expect(await client.responses.retrieve(next.id)).toMatchObject({
      id: next.id,
      previous_response_id: made.id,
      status: 'completed',
    })
    const items = await Array.fromAsync(client.responses.inputItems.list(next.id, { limit: 1, order: 'asc' }))
    expect(items.map(({ type }) => type)).toEqual(['message', 'message', 'message'])
    const [first] = items
    const before = await client.responses.inputItems.list(next.id, { order: 'desc', after: items[2]?.id ?? '' })
    expect(before.data.at(-1)).toEqual(first)

    await client.responses.delete(made.id)
    expect(await caught(client.responses.retrieve(made.id))).toBeInstanceOf(sdk.NotFoundError)
    expect(await caught(client.responses.delete(made.id))).toBeInstanceOf(sdk.NotFoundError)
  })

  it('stores nothing where it says so', async () => {
    const client = make()
    const made = await client.responses.create({ model: 'chat', input: hello, store: false })
    expect(made.id).toMatch(OURS)
    expect(await caught(client.responses.retrieve(made.id))).toBeInstanceOf(sdk.NotFoundError)
    // What it got can be sent back all the same.
    const input = [
      { role: 'user', content: hello },
      ...made.output,
      { role: 'user', content: 'More' },
    ] as openai7.OpenAI.Responses.ResponseInput
    expect(await client.responses.create({ model: 'chat', input, store: false })).toMatchObject({ status: 'completed' })
  })

  it('has one made in the background, follows it, and reads its events again', async () => {
    const client = make()
    const made = await client.responses.create({ model: 'chat', input: hello, background: true })
    expect(made).toMatchObject({ id: expect.stringMatching(OURS), status: 'queued', usage: null })
    let seen = made
    while (seen.status === 'queued' || seen.status === 'in_progress') seen = await client.responses.retrieve(made.id)
    expect(seen).toMatchObject({ id: made.id, status: 'completed', output_text: 'Hello there' })

    const stream = await client.responses.create({ model: 'chat', input: hello, background: true, stream: true })
    const events = await Array.fromAsync(stream)
    const [opening] = events
    const id = opening?.type === 'response.created' ? opening.response.id : ''
    expect(id).toMatch(OURS)
    const rest = await Array.fromAsync(await client.responses.retrieve(id, { stream: true, starting_after: 3 }))
    expect(rest).toEqual(events.slice(4))
  })

  it('calls one off', async () => {
    const client = make()
    const made = await client.responses.create({ model: 'chat', input: '[[tokens:400]]', background: true })
    expect((await client.responses.cancel(made.id)).id).toBe(made.id)
    const over = await client.responses.create({ model: 'chat', input: hello })
    const error = await caught(client.responses.cancel(over.id))
    expect(error).toBeInstanceOf(sdk.BadRequestError)
  })

  it.each([
    ['retrieve', (client: openai7.OpenAI, id: string) => client.responses.retrieve(id)],
    ['retrieve as a stream', (client: openai7.OpenAI, id: string) => client.responses.retrieve(id, { stream: true })],
    ['delete', (client: openai7.OpenAI, id: string) => client.responses.delete(id)],
    ['cancel', (client: openai7.OpenAI, id: string) => client.responses.cancel(id)],
    ['list the input of', async (client: openai7.OpenAI, id: string) => client.responses.inputItems.list(id)],
    [
      'go on from',
      (client: openai7.OpenAI, id: string) =>
        client.responses.create({ model: 'chat', input: 'x', previous_response_id: id }),
    ],
  ])('cannot %s a response of another tenant, and is told what it is told of an unknown one', async (_name, use) => {
    const theirs = await make(other.apiKey).responses.create({ model: 'chat', input: hello })
    const unknown = `resp_${'0'.repeat(26)}`
    const told = async (id: string) => {
      const error = await caught(use(make(), id))
      expect(error).toBeInstanceOf(sdk.NotFoundError)
      const { message, code, param, type } = error as InstanceType<typeof sdk.NotFoundError>
      return JSON.stringify({ message, code, param, type }).replaceAll(id, '{id}')
    }
    expect(await told(theirs.id)).toBe(await told(unknown))
    expect(await make(other.apiKey).responses.retrieve(theirs.id)).toMatchObject({ id: theirs.id })
  })
})
