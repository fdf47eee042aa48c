import * as openai7 from 'openai'
import * as openai6 from 'openai-6'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

let stack: TestStack
let tenant: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  tenant = await stack.makeTenant()
})
afterAll(() => stack.stop())

type OpenAI = openai7.OpenAI
const majors = { 'openai 7': openai7, 'openai 6': openai6 as unknown as typeof openai7 }
const clients = Object.entries(majors).flatMap(([name, sdk]) => [
  {
    name: `${name} AzureOpenAI`,
    sdk,
    make: (apiKey?: string, more?: object): OpenAI =>
      new sdk.AzureOpenAI({
        endpoint: stack.baseUrl,
        apiKey: apiKey ?? tenant.apiKey,
        apiVersion: '2024-10-21',
        maxRetries: 0,
        ...more,
      }),
  },
  {
    name: `${name} OpenAI on v1`,
    sdk,
    make: (apiKey?: string, more?: object): OpenAI =>
      new sdk.OpenAI({
        baseURL: `${stack.baseUrl}/openai/v1`,
        apiKey: apiKey ?? tenant.apiKey,
        maxRetries: 0,
        ...more,
      }),
  },
])

const hello = (content = 'Say hello [[echo:Hello there]]') => [{ role: 'user' as const, content }]

describe.each(clients)('$name', ({ sdk, make }) => {
  it('gets a chat completion with usage and the request id', async () => {
    const answer = await make().chat.completions.create({ model: 'chat', messages: hello() })
    expect(answer.choices[0]?.message.content).toBe('Hello there')
    expect(answer.choices[0]?.finish_reason).toBe('stop')
    expect(answer.usage?.completion_tokens).toBe(2)
    expect((answer as { _request_id?: string })._request_id).toMatch(/^call_/)
  })

  it('streams a chat completion and sees no usage chunk that it did not ask for', async () => {
    const stream = await make().chat.completions.create({ model: 'chat', messages: hello(), stream: true })
    const chunks = await Array.fromAsync(stream)
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Hello there')
    expect(chunks.filter((chunk) => chunk.usage)).toEqual([])
  })

  it('gets the usage chunk when it asks for it', async () => {
    const stream = await make().chat.completions.create({
      model: 'chat',
      messages: hello(),
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await Array.fromAsync(stream)
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(2)
    expect(chunks.at(-1)?.choices).toEqual([])
  })

  it('calls tools, streamed and not', async () => {
    const request = {
      model: 'chat',
      messages: hello('What is the weather?'),
      tools: [
        {
          type: 'function' as const,
          function: {
            name: 'get_weather',
            parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          },
        },
      ],
      tool_choice: 'required' as const,
    }
    const whole = await make().chat.completions.create(request)
    const call = whole.choices[0]?.message.tool_calls?.[0]
    expect(call?.type === 'function' && call.function.name).toBe('get_weather')
    expect(call?.type === 'function' && typeof JSON.parse(call.function.arguments).city).toBe('string')

    const final = await make().chat.completions.stream(request).finalChatCompletion()
    const streamed = final.choices[0]?.message.tool_calls?.[0]
    expect(streamed?.type === 'function' && typeof JSON.parse(streamed.function.arguments).city).toBe('string')
  })

  it('gets an answer of the schema that it asks for', async () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, size: { enum: ['small', 'large'] } },
      required: ['name', 'size'],
      additionalProperties: false,
    }
    const answer = await make().chat.completions.create({
      model: 'chat',
      messages: hello('Describe a cat'),
      response_format: { type: 'json_schema', json_schema: { name: 'animal', strict: true, schema } },
    })
    const parsed = JSON.parse(answer.choices[0]?.message.content ?? '') as { name: unknown; size: unknown }
    expect(typeof parsed.name).toBe('string')
    expect(['small', 'large']).toContain(parsed.size)
  })

  it('gets embeddings, decoded from base 64 and as plain numbers alike', async () => {
    const packed = await make().embeddings.create({ model: 'embed', input: ['one', 'two'] })
    const plain = await make().embeddings.create({ model: 'embed', input: ['one', 'two'], encoding_format: 'float' })
    expect(packed.data).toHaveLength(2)
    expect(packed.data[1]?.embedding).toHaveLength(1_536)
    packed.data[1]?.embedding.forEach((value, i) => expect(value).toBeCloseTo(plain.data[1]?.embedding[i] ?? NaN, 5))
  })

  it("lists the tenant's aliases and nothing else", async () => {
    const models = await Array.fromAsync(make().models.list())
    expect(models.map(({ id }) => id).sort()).toEqual(['chat', 'embed'])
  })

  it.each([
    ['a wrong key', 'wrong', 'chat', 'AuthenticationError', 401, 'invalid_api_key'],
    ['an unknown alias', undefined, 'gpt-9', 'NotFoundError', 404, 'DeploymentNotFound'],
    ['an alias that cannot chat', undefined, 'embed', 'BadRequestError', 400, 'unsupported_parameter'],
  ] as const)('throws its own error class for %s', async (_case, key, model, errorClass, status, code) => {
    const error = await make(key)
      .chat.completions.create({ model, messages: hello() })
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(sdk[errorClass])
    expect(error).toMatchObject({ status, code, requestID: expect.stringMatching(/^call_/) })
  })

  it("gets Azure's content-filter refusal as Azure sends it", async () => {
    const error = await make()
      .chat.completions.create({ model: 'chat', messages: hello('[[filter:jailbreak]]') })
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 400, code: 'content_filter' })
    expect((error as { error: { innererror: object } }).error.innererror).toMatchObject({
      code: 'ResponsibleAIPolicyViolation',
      content_filter_result: { jailbreak: { detected: true, filtered: true } },
    })
  })

  it('throws when a stream breaks off in the middle', async () => {
    const stream = await make().chat.completions.create({
      model: 'chat',
      messages: hello('[[tokens:50]] [[fault:cut]]'),
      stream: true,
    })
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'upstream_failed' })
  })

  it('waits for as long as our 429 says, and is then served', async () => {
    const limited = await stack.makeTenant({ limitOverrides: { concurrentCalls: 1 } })
    const client = make(limited.apiKey, { maxRetries: 5 })
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => client.chat.completions.create({ model: 'chat', messages: hello() })),
    )
    expect(answers.map((answer) => answer.choices[0]?.message.content)).toEqual(Array(3).fill('Hello there'))
  })

  it('gets RateLimitError with the wait and the rate headers once its retries are used up', async () => {
    const limited = await stack.makeTenant({ limitOverrides: { requestsPerMinute: 1 } })
    const client = make(limited.apiKey)
    await client.chat.completions.create({ model: 'chat', messages: hello() })
    const error = (await client.chat.completions
      .create({ model: 'chat', messages: hello() })
      .catch((caught: unknown) => caught)) as InstanceType<typeof sdk.RateLimitError>
    expect(error).toBeInstanceOf(sdk.RateLimitError)
    expect(error.code).toBe('rate_limit_exceeded')
    const waitMs = Number(error.headers.get('retry-after-ms'))
    expect(waitMs).toBeGreaterThan(0)
    expect(waitMs).toBeLessThanOrEqual(61_000)
    expect(error.headers.get('retry-after')).toBe(String(Math.ceil(waitMs / 1_000)))
    expect(error.headers.get('x-ratelimit-limit-requests')).toBe('1')
    expect(error.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  })
})

it("an AzureOpenAI client's deployment option wins over the model in the body", async () => {
  const client = new openai7.AzureOpenAI({
    endpoint: stack.baseUrl,
    apiKey: tenant.apiKey,
    apiVersion: '2024-10-21',
    deployment: 'chat',
  })
  const answer = await client.chat.completions.create({ model: 'no-such-model', messages: hello() })
  expect(answer.choices[0]?.message.content).toBe('Hello there')
})
