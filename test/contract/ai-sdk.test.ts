import { createAzure } from '@ai-sdk/azure'
import { APICallError, embedMany, generateText, jsonSchema, Output, streamText, tool, type ToolSet } from 'ai'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

let stack: TestStack
let tenant: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  tenant = await stack.makeTenant()
})
afterAll(() => stack.stop())

const providers = [
  {
    name: 'with a base URL, which sends neither v1 nor api-version',
    make: (apiKey = tenant.apiKey) => createAzure({ baseURL: `${stack.baseUrl}/openai`, apiKey }),
  },
  {
    name: 'with deployment-based URLs',
    make: (apiKey = tenant.apiKey) =>
      createAzure({
        baseURL: `${stack.baseUrl}/openai`,
        apiKey,
        apiVersion: '2024-10-21',
        useDeploymentBasedUrls: true,
      }),
  },
]
const prompt = 'Say hello [[echo:Hello there]]'

describe.each(providers)('@ai-sdk/azure $name', ({ make }) => {
  it('gets a chat completion with usage', async () => {
    const { text, usage } = await generateText({ model: make().chat('chat'), prompt, maxRetries: 0 })
    expect(text).toBe('Hello there')
    expect(usage.outputTokens).toBe(2)
  })

  it('streams a chat completion with usage', async () => {
    const result = streamText({ model: make().chat('chat'), prompt, maxRetries: 0 })
    expect((await Array.fromAsync(result.textStream)).join('')).toBe('Hello there')
    expect((await result.usage).outputTokens).toBe(2)
  })

  it('calls tools', async () => {
    const weather = tool({
      description: 'weather',
      inputSchema: jsonSchema<{ city: string }>({
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
      }),
    })
    const { toolCalls } = await generateText({
      model: make().chat('chat'),
      prompt: 'Weather?',
      tools: { weather } as unknown as ToolSet,
      toolChoice: 'required',
      maxRetries: 0,
    })
    expect(toolCalls[0]?.toolName).toBe('weather')
    expect(typeof (toolCalls[0]?.input as { city?: unknown } | undefined)?.city).toBe('string')
  })

  it('gets an object of the schema that it asks for', async () => {
    const schema = jsonSchema<{ size: string }>({
      type: 'object',
      properties: { size: { enum: ['small', 'large'] } },
      required: ['size'],
      additionalProperties: false,
    })
    const { output } = await generateText({
      model: make().chat('chat'),
      prompt: 'A size',
      output: Output.object({ schema }),
      maxRetries: 0,
    })
    expect(['small', 'large']).toContain(output.size)
  })

  it('gets embeddings', async () => {
    const { embeddings, usage } = await embedMany({ model: make().embedding('embed'), values: ['one', 'two'] })
    expect(embeddings.map((vector) => vector.length)).toEqual([1_536, 1_536])
    expect(usage.tokens).toBe(2)
  })

  it('throws its own error with our message and status', async () => {
    const error = await generateText({ model: make('wrong').chat('chat'), prompt, maxRetries: 0 }).catch(
      (caught: unknown) => caught,
    )
    expect(APICallError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({ statusCode: 401, isRetryable: false, message: expect.stringContaining('API key') })
  })

  it('retries our 429 and is then served', async () => {
    const limited = await stack.makeTenant({ limitOverrides: { concurrentCalls: 1 } })
    const model = make(limited.apiKey).chat('chat')
    const answers = await Promise.all([1, 2, 3].map(() => generateText({ model, prompt, maxRetries: 5 })))
    expect(answers.map(({ text }) => text)).toEqual(Array(3).fill('Hello there'))
  })
})
