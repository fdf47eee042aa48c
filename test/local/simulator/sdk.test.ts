import OpenAI7, { AzureOpenAI as AzureOpenAI7 } from 'openai'
import OpenAI6, { AzureOpenAI as AzureOpenAI6 } from 'openai-6'
import { KEY, runningSimulator } from './running'

const simulator = runningSimulator()
const azure = { apiKey: KEY, apiVersion: '2024-10-21', maxRetries: 0 }

const clients = [
  ['openai 7, classic Azure', () => new AzureOpenAI7({ ...azure, endpoint: simulator.url('') })],
  ['openai 6, classic Azure', () => new AzureOpenAI6({ ...azure, endpoint: simulator.url('') }) as unknown as OpenAI7],
  ['openai 7, v1', () => new OpenAI7({ apiKey: KEY, baseURL: simulator.url('/openai/v1'), maxRetries: 0 })],
  [
    'openai 6, v1',
    () => new OpenAI6({ apiKey: KEY, baseURL: simulator.url('/openai/v1'), maxRetries: 0 }) as unknown as OpenAI7,
  ],
  ['openai 7, compatible', () => new OpenAI7({ apiKey: KEY, baseURL: simulator.url('/compatible/v1'), maxRetries: 0 })],
] as const

const question = (content: string) => [{ role: 'user' as const, content }]
const weather = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 7 } },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
}

describe.each(clients)('%s', (_name, makeClient) => {
  it('gets an answer with the model version, the asked length and usage that adds up', async () => {
    const answer = await makeClient().chat.completions.create({ model: 'chat', messages: question('[[tokens:17]]') })

    expect(answer.model).toBe('gpt-4.1-mini-2025-04-14')
    expect(answer.choices[0]?.finish_reason).toBe('stop')
    expect(answer.choices[0]?.message.content?.endsWith('.')).toBe(true)
    expect(answer.usage?.completion_tokens).toBe(17)
    expect(answer.usage?.total_tokens).toBe((answer.usage?.prompt_tokens ?? 0) + 17)
    expect(answer._request_id).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('streams the same text that it answers in one piece', async () => {
    const client = makeClient()
    const messages = question('tell me of the harbour')
    const whole = await client.chat.completions.create({ model: 'chat', messages })
    const stream = await client.chat.completions.create({
      model: 'chat',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: unknown
    const finishes: unknown[] = []
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason)
      if (chunk.usage) usage = chunk.usage
    }

    expect(text).toBe(whole.choices[0]?.message.content)
    expect(finishes).toEqual(['stop'])
    expect(usage).toEqual(whole.usage)
  })

  it('calls the tool that the user names, with arguments of its schema, streamed in parts', async () => {
    const client = makeClient()
    const request = { model: 'chat', messages: question('use get_weather for Oslo'), tools: [weather] }
    const whole = await client.chat.completions.create(request)
    const call = whole.choices[0]?.message.tool_calls?.[0]
    if (call?.type !== 'function') throw new Error('no call')
    const runner = client.chat.completions.stream(request)
    const streamed = await runner.finalChatCompletion()
    const again = streamed.choices[0]?.message.tool_calls?.[0]

    expect(whole.choices[0]?.finish_reason).toBe('tool_calls')
    expect(whole.choices[0]?.message.content).toBeNull()
    const args = JSON.parse(call.function.arguments) as { city: string; days: number }
    expect(typeof args.city).toBe('string')
    expect(args.days).toBeGreaterThanOrEqual(1)
    expect(args.days).toBeLessThanOrEqual(7)
    expect(again?.type === 'function' && again.function.arguments).toBe(call.function.arguments)
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls')
  })

  it('embeds the same whether asked for floats or for the base64 that the SDK decodes', async () => {
    const client = makeClient()
    const floats = await client.embeddings.create({
      model: 'vectors',
      input: ['red', 'blue'],
      encoding_format: 'float',
    })
    const decoded = await client.embeddings.create({ model: 'vectors', input: ['red', 'blue'] })

    for (const [index, { embedding }] of floats.data.entries()) {
      expect(embedding).toHaveLength(1_536)
      expect(decoded.data[index]?.embedding).toHaveLength(1_536)
      embedding.forEach((value, at) => expect(decoded.data[index]?.embedding[at]).toBeCloseTo(value, 7))
    }
  })

  it('raises the refusals as the errors that the SDK knows', async () => {
    const client = makeClient()
    const unknown = client.chat.completions.create({ model: 'absent', messages: question('hi') })
    await expect(unknown).rejects.toMatchObject({ status: 404 })
    const unsupported = client.chat.completions.create({ model: 'thinker', messages: question('hi'), max_tokens: 5 })
    await expect(unsupported).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'max_tokens' })
    const throttled = client.chat.completions.create({ model: 'chat', messages: question('[[fault:status:429:700]]') })
    await expect(throttled).rejects.toMatchObject({ status: 429 })
  })

  it('raises an error inside a stream when the stream says so', async () => {
    const stream = await makeClient().chat.completions.create({
      model: 'chat',
      messages: question('[[fault:mid-stream-error:2]]'),
      stream: true,
    })
    let texts = 0
    const reading = (async () => {
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) texts++
    })()

    await expect(reading).rejects.toThrow(/server had an error/)
    expect(texts).toBe(2)
  })

  it('lists models', async () => {
    const models = await Array.fromAsync(makeClient().models.list())
    expect(models.length).toBeGreaterThan(3)
  })
})
