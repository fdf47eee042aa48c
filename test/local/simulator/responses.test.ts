import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { runningSimulator, user } from './running'
import { sdkClients } from './sdk-clients'

const simulator = runningSimulator()
const V1 = '/openai/v1/responses'
const create = (body: object, headers?: Record<string, string>) =>
  simulator.post(V1, { model: 'chat', ...body }, headers)

interface Event {
  type: string
  sequence_number: number
  delta?: string
  response?: ResponseObject
}
interface ResponseObject {
  id: string
  status: string
  output: { type: string; content?: { text: string }[] }[]
  usage: { input_tokens: number; output_tokens: number } | null
}

/** The events of an SSE text; each has its type as its name too. */
function eventsOf(sse: string): Event[] {
  return sse
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [name = '', data = ''] = event.split('\n')
      const parsed = JSON.parse(data.slice('data: '.length)) as Event
      expect(name).toBe(`event: ${parsed.type}`)
      return parsed
    })
}
const textOf = ({ output }: ResponseObject) =>
  output.flatMap(({ content = [] }) => content.map(({ text }) => text)).join('')
const deltas = (events: Event[]) => events.map(({ delta }) => delta ?? '').join('')
const created = async (body: object) => (await (await create(body)).json()) as ResponseObject
const retrieved = async (id: string) => (await (await simulator.send('GET', `${V1}/${id}`)).json()) as ResponseObject

async function until(id: string, status: string): Promise<ResponseObject> {
  for (let tries = 0; tries < 500; tries++) {
    const response = await retrieved(id)
    if (response.status === status) return response
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${id} is not ${status}`)
}

describe.each(sdkClients(simulator.url))('responses: %s', (_name, makeClient) => {
  it('gets an answer of the asked length, with usage that adds up', async () => {
    const response = await makeClient().responses.create({ model: 'chat', input: 'Tell me. [[tokens:15]]' })

    expect(response.status).toBe('completed')
    expect(response.id).toMatch(/^resp_[0-9a-f]{50}$/)
    expect(countTokens(response.output_text)).toBe(15)
    expect(response.usage).toMatchObject({ output_tokens: 15, input_tokens_details: { cached_tokens: 0 } })
    expect(response.usage?.total_tokens).toBe((response.usage?.input_tokens ?? 0) + 15)
  })

  it('streams the same text that it answers in one piece, as events in their order', async () => {
    const client = makeClient()
    const request = { model: 'chat', input: 'Tell me of the harbour. [[tokens:4]]' }
    const whole = await client.responses.create(request)
    const types: string[] = []
    let text = ''
    let next = 0
    for await (const event of await client.responses.create({ ...request, stream: true })) {
      expect(event.sequence_number).toBe(next++)
      types.push(event.type)
      if (event.type === 'response.output_text.delta') text += event.delta
      if (event.type === 'response.completed') expect(event.response.usage).toEqual(whole.usage)
    }

    expect(text).toBe(whole.output_text)
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      ...Array.from({ length: 4 }, () => 'response.output_text.delta'),
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
  })

  it('continues a conversation by the id of the last response, and lists what was read', async () => {
    const client = makeClient()
    const first = await client.responses.create({ model: 'chat', input: 'one' })
    const second = await client.responses.create({ model: 'chat', input: 'two', previous_response_id: first.id })
    const items = await Array.fromAsync(client.responses.inputItems.list(second.id, { order: 'asc', limit: 2 }))

    expect(second.usage?.input_tokens).toBeGreaterThan(
      (first.usage?.input_tokens ?? 0) + (first.usage?.output_tokens ?? 0),
    )
    expect(items.map((item) => 'role' in item && item.role)).toEqual(['user', 'assistant', 'user'])
    expect(items[1]).toEqual(first.output[0])
  })

  it('retrieves and deletes what it created, and then finds nothing', async () => {
    const client = makeClient()
    const { id, output } = await client.responses.create({ model: 'chat', input: 'keep me' })
    expect((await client.responses.retrieve(id)).output).toEqual(output)
    await client.responses.delete(id)

    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
    const follow = client.responses.create({ model: 'chat', input: 'more', previous_response_id: id })
    await expect(follow).rejects.toMatchObject({ status: 404, code: 'previous_response_not_found' })
  })

  it('calls the function that the user names, with arguments of its schema, streamed in parts', async () => {
    const client = makeClient()
    const tool = {
      type: 'function' as const,
      name: 'get_weather',
      strict: true,
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      },
    }
    const request = { model: 'chat', input: 'use get_weather for Oslo', tools: [tool] }
    const whole = await client.responses.create(request)
    const runner = client.responses.stream(request)
    const streamed = await runner.finalResponse()
    const [call] = whole.output
    const [again] = streamed.output
    if (call?.type !== 'function_call' || again?.type !== 'function_call') throw new Error('no call')

    expect(typeof (JSON.parse(call.arguments) as { city: unknown }).city).toBe('string')
    expect(again.arguments).toBe(call.arguments)
    const answer = { type: 'function_call_output' as const, call_id: call.call_id, output: 'rain' }
    const after = await client.responses.create({ model: 'chat', input: [answer], previous_response_id: whole.id })
    expect(after.output_text).not.toBe('')
  })

  it('runs in the background: queued at first, and completed when asked again', async () => {
    const client = makeClient()
    const queued = await client.responses.create({ model: 'chat', input: 'later [[tokens:6]]', background: true })
    expect(queued.status).toBe('queued')
    expect(queued.output).toEqual([])
    await until(queued.id, 'completed')
    const done = await client.responses.retrieve(queued.id)

    expect(countTokens(done.output_text)).toBe(6)
    expect(done.usage?.output_tokens).toBe(6)
  })

  it('follows a response in the background from any event on', async () => {
    const client = makeClient()
    const whole: Event[] = []
    const stream = await client.responses.create({
      model: 'chat',
      input: 'far [[tokens:8]]',
      background: true,
      stream: true,
    })
    for await (const event of stream) whole.push(event as Event)
    const id = whole[0]?.response?.id ?? ''
    const rest: Event[] = []
    for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 6 })) {
      rest.push(event as Event)
    }

    expect(whole.slice(0, 3).map(({ type }) => type)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
    ])
    expect(rest).toEqual(whole.slice(7))
    expect(rest.at(-1)?.type).toBe('response.completed')
  })
})

describe('a response', () => {
  it('is not kept when it is asked not to be', async () => {
    const { id } = await created({ input: 'secret', store: false })
    expect((await simulator.send('GET', `${V1}/${id}`)).status).toBe(404)
    expect((await simulator.things()).map((thing) => thing.id)).not.toContain(id)
  })

  it('thinks before it speaks, within its output tokens', async () => {
    const response = await created({ model: 'thinker', input: '[[reasoning:128]] [[tokens:10]]' })
    expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    expect(response.usage).toMatchObject({ output_tokens: 138, output_tokens_details: { reasoning_tokens: 128 } })
  })

  it('is incomplete where its length or the filter ends it, and charged for what it said', async () => {
    const cut = await created({ input: '[[tokens:50]]', max_output_tokens: 16 })
    const filtered = eventsOf(
      await (await create({ input: '[[filter:completion]] [[tokens:20]]', stream: true })).text(),
    )

    expect(cut).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
    expect(cut.usage?.output_tokens).toBe(16)
    expect(filtered.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'content_filter' }, usage: { output_tokens: 10 } },
    })
  })

  it('to a filtered prompt is a 400 with Azure’s body, streamed or not', async () => {
    const refused = await create({ input: '[[filter:jailbreak]]', stream: true })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({
      error: { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } },
    })
  })

  it('that breaks says so as its last event, and is kept as failed', async () => {
    const events = eventsOf(await (await create({ input: '[[fault:mid-stream-error:2]]', stream: true })).text())
    const last = events.at(-1)

    expect(events.filter(({ delta }) => delta)).toHaveLength(2)
    expect(last).toMatchObject({ type: 'response.failed', response: { error: { code: 'server_error' } } })
    expect((await retrieved(last?.response?.id ?? '')).status).toBe('failed')
  })

  it('of a full deployment can fail as the first event of a stream of 200', async () => {
    const answer = await create({ input: '[[fault:throttled-stream]]', stream: true })
    expect(answer.status).toBe(200)
    expect(eventsOf(await answer.text())).toMatchObject([
      { type: 'response.failed', sequence_number: 0, response: { error: { code: 'rate_limit_exceeded' } } },
    ])
  })

  it('of JSON fits its schema', async () => {
    const schema = { type: 'object', properties: { age: { type: 'integer', minimum: 3 } }, required: ['age'] }
    const response = await created({ input: 'who', text: { format: { type: 'json_schema', name: 'person', schema } } })
    expect((JSON.parse(textOf(response)) as { age: number }).age).toBeGreaterThanOrEqual(3)
  })

  it('ends with its connection when that is lost', async () => {
    await simulator.patch({ deployments: { chat: { latency: { firstTokenMs: 1, tokensPerSecond: 20 } } } })
    const lost = new AbortController()
    const answer = await fetch(simulator.url(V1), {
      method: 'POST',
      headers: { 'api-key': 'simulator-key' },
      body: JSON.stringify({ model: 'chat', input: '[[tokens:400]]', stream: true }),
      signal: lost.signal,
    })
    const first = await answer.body?.getReader().read()
    const id = /resp_[0-9a-f]+/.exec(Buffer.from(first?.value ?? []).toString())?.[0] ?? ''
    lost.abort()

    expect((await until(id, 'cancelled')).output).toEqual([])
    await simulator.patch({ deployments: { chat: { latency: { firstTokenMs: 0, tokensPerSecond: 0 } } } })
  })

  it('that streams says that it was created before the model speaks', async () => {
    await simulator.patch({ deployments: { chat: { latency: { firstTokenMs: 60_000 } } } })
    const gone = new AbortController()
    const answer = await simulator.post(V1, { model: 'chat', input: 'a', stream: true }, {}, gone.signal)
    const first = await answer.body?.getReader().read()
    gone.abort()
    await simulator.patch({ deployments: { chat: { latency: { firstTokenMs: 0 } } } })

    const opening = eventsOf(Buffer.from(first?.value ?? []).toString())
    expect(opening.map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
  })

  it('is throttled as chat is, by the limit that they share', async () => {
    await simulator.patch({
      deployments: {
        narrow: {
          model: 'gpt-4.1-mini-2025-04-14',
          admission: { kind: 'standard', tokensPerMinute: 60, requestsPerMinute: 600 },
        },
      },
    })
    const request = { model: 'narrow', input: 'a', max_output_tokens: 40 }
    expect((await create(request)).status).toBe(200)
    const throttled = await create({ ...request, background: true })
    expect(throttled.status).toBe(429)
    expect(await throttled.text()).toContain('Responses_Create')
    expect((await simulator.chat('narrow', { ...user('a'), max_tokens: 40 })).status).toBe(429)
  })

  it.each([
    ['no input', {}, 'input'],
    ['too small a maximum', { input: 'a', max_output_tokens: 15 }, 'max_output_tokens'],
    ['background that is not kept', { input: 'a', background: true, store: false }, 'store'],
    ['a tool without a name', { input: 'a', tools: [{ type: 'function' }] }, 'tools[0].name'],
    ['a message of nobody', { input: [{ content: 'a' }] }, 'input[0].role'],
    ['temperature for a thinker', { model: 'thinker', input: 'a', temperature: 1 }, 'temperature'],
  ])('with %s is refused and names the parameter', async (_name, body, param) => {
    const answer = await create(body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param } })
  })

  it('is all that some models answer with', async () => {
    await simulator.patch({ deployments: { codex: { model: 'gpt-5.3-codex-2026-02-24' } } })
    expect((await create({ model: 'codex', input: 'a' })).status).toBe(200)
    expect(await (await simulator.chat('codex', 'a')).json()).toMatchObject({
      error: { code: 'OperationNotSupported' },
    })
  })

  it('has no address in dated versions before it existed, nor below a deployment', async () => {
    const body = { model: 'chat', input: 'a' }
    const status = async (path: string) => (await simulator.post(path, body)).status
    expect(await status('/openai/responses?api-version=2024-10-21')).toBe(404)
    expect(await status('/openai/deployments/chat/responses?api-version=2025-04-01-preview')).toBe(404)
    expect(await status('/openai/responses?api-version=2025-03-01-preview')).toBe(200)
  })
})

describe('a response in the background', () => {
  it('is charged in a record of its own, when it is done', async () => {
    const { last } = await simulator.ledger()
    const queued = await created({ input: '[[tokens:9]]', background: true })
    await until(queued.id, 'completed')
    const records = (await simulator.recorded(last, 2)).filter(({ operation }) => operation === 'responses')

    expect(records).toHaveLength(2)
    expect(records.find(({ work }) => work === 'call')).toMatchObject({ promptTokens: 0, outputTokens: 0 })
    expect(records.find(({ work }) => work === 'background')).toMatchObject({
      answerId: queued.id,
      deployment: 'chat',
      outputTokens: 9,
      tokensSent: 9,
      outcome: 'completed',
    })
  })

  it('goes on when its stream is cut, and can be followed again from the last event that came', async () => {
    const answer = await create({ input: '[[fault:cut:3]] [[tokens:30]]', background: true, stream: true })
    let seen = ''
    const reader = answer.body?.getReader()
    await expect(
      (async () => {
        for (;;) seen += Buffer.from((await reader?.read())?.value ?? []).toString()
      })(),
    ).rejects.toThrow()
    const before = eventsOf(seen)
    const last = before.at(-1)?.sequence_number ?? -1
    const id = before[0]?.response?.id ?? ''
    const resumed = await simulator.send('GET', `${V1}/${id}?stream=true&starting_after=${last}`)
    const after = eventsOf(await resumed.text())

    expect(after[0]?.sequence_number).toBe(last + 1)
    expect(deltas([...before, ...after])).toBe(textOf(await retrieved(id)))
  })

  it('is called off at once, twice without harm, and recorded as cancelled', async () => {
    await simulator.patch({ responses: { queuedMs: 60_000 } })
    const { last } = await simulator.ledger()
    const { id } = await created({ input: 'never', background: true })
    const cancel = async () => (await (await simulator.post(`${V1}/${id}/cancel`, '')).json()) as ResponseObject

    expect(await cancel()).toMatchObject({ id, status: 'cancelled', output: [] })
    expect(await cancel()).toMatchObject({ status: 'cancelled' })
    const records = await simulator.recorded(last, 4)
    expect(records.filter(({ work }) => work === 'background')).toMatchObject([{ outcome: 'cancelled' }])
    await simulator.patch({ responses: { queuedMs: 0 } })
  })

  it('fails as it is told to, and says so when asked', async () => {
    const { id } = await created({ input: '[[fault:mid-stream-error]]', background: true })
    expect(await until(id, 'failed')).toMatchObject({ error: { code: 'server_error' }, usage: null })
  })

  it('cannot be called off when it is in none', async () => {
    const { id } = await created({ input: 'now' })
    expect((await simulator.post(`${V1}/${id}/cancel`, '')).status).toBe(400)
  })
})

describe('what is kept', () => {
  it('belongs to its account, and fails as it is told to', async () => {
    const { id } = await created({ input: 'mine' })
    expect(await simulator.things()).toContainEqual({
      account: 'simulator',
      collection: 'responses',
      id,
      status: 'completed',
    })

    await simulator.patch({ storedFaults: { 'responses.delete': [{ kind: 'status:500', next: 1 }] } })
    expect((await simulator.send('DELETE', `${V1}/${id}`)).status).toBe(500)
    expect((await simulator.send('DELETE', `${V1}/${id}`)).status).toBe(200)
    expect((await simulator.things()).map((thing) => thing.id)).not.toContain(id)
  })

  it('is counted in the ledger and gone after a reset', async () => {
    await created({ input: 'one' })
    const counted = async () =>
      ((await (await fetch(simulator.url('/simulator/ledger'))).json()) as { stored: { responses: number } }).stored
        .responses
    expect(await counted()).toBeGreaterThan(0)
    await fetch(simulator.url('/simulator/reset'), { method: 'POST' })
    expect(await counted()).toBe(0)
  })
})
