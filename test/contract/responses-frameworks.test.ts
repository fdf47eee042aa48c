import { createAzure } from '@ai-sdk/azure'
import { AzureChatOpenAI, ChatOpenAI } from '@langchain/openai'
import {
  APICallError,
  generateText,
  jsonSchema,
  stepCountIs,
  streamText,
  tool,
  type ModelMessage,
  type ToolSet,
} from 'ai'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

let stack: TestStack
let tenant: TestTenant
let other: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  ;[tenant, other] = await Promise.all([stack.makeTenant(), stack.makeTenant()])
})
afterAll(() => stack.stop())

const prompt = 'Say hello [[echo:Hello there]]'

describe('@ai-sdk/azure, whose models are of the Responses API unless told otherwise', () => {
  const model = (apiKey = tenant.apiKey) => createAzure({ baseURL: `${stack.baseUrl}/openai`, apiKey })('chat')
  const weather = tool({
    description: 'weather',
    inputSchema: jsonSchema<{ city: string }>({
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
    }),
    execute: async () => ({ sky: 'blue' }),
  })
  const tools = { weather } as unknown as ToolSet

  it('gets a text with usage', async () => {
    const { text, usage, response } = await generateText({ model: model(), prompt, maxRetries: 0 })
    expect(text).toBe('Hello there')
    expect(usage.outputTokens).toBe(2)
    expect(response.id).toMatch(/^resp_[0-9a-z]{26}$/)
  })

  it('streams a text with usage', async () => {
    const result = streamText({ model: model(), prompt, maxRetries: 0 })
    expect((await Array.fromAsync(result.textStream)).join('')).toBe('Hello there')
    expect((await result.usage).outputTokens).toBe(2)
  })

  it('runs tools over several steps', async () => {
    const result = await generateText({
      model: model(),
      prompt: 'Weather?',
      tools,
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? 'required' : 'none' }),
      maxRetries: 0,
    })
    expect(result.steps).toHaveLength(2)
    expect(result.steps[0]?.toolResults[0]?.output).toEqual({ sky: 'blue' })
  })

  it('goes on with a conversation whose answers it names by their ids alone', async () => {
    const sent: string[] = []
    const watched = createAzure({
      baseURL: `${stack.baseUrl}/openai`,
      apiKey: tenant.apiKey,
      fetch: (url, init) => {
        sent.push(init?.body as string)
        return fetch(url, init)
      },
    })('chat')
    const first = await generateText({ model: watched, prompt, maxRetries: 0 })
    const messages: ModelMessage[] = [
      { role: 'user', content: prompt },
      ...first.response.messages,
      { role: 'user', content: prompt },
    ]
    const second = await generateText({ model: watched, messages, maxRetries: 0 })
    expect(second.text).toBe('Hello there')
    expect(sent[1]).toContain('"type":"item_reference"')
  })

  it('goes on with one that was not stored, whose answers it sends back whole', async () => {
    const providerOptions = { openai: { store: false }, azure: { store: false } }
    const first = await generateText({ model: model(), prompt, providerOptions, maxRetries: 0 })
    const messages: ModelMessage[] = [
      { role: 'user', content: prompt },
      ...first.response.messages,
      { role: 'user', content: prompt },
    ]
    expect(await generateText({ model: model(), messages, providerOptions, maxRetries: 0 })).toMatchObject({
      text: 'Hello there',
    })
  })

  it('cannot go on with the conversation of another tenant', async () => {
    const theirs = await generateText({ model: model(other.apiKey), prompt, maxRetries: 0 })
    const messages: ModelMessage[] = [...theirs.response.messages, { role: 'user', content: 'What was said?' }]
    const error = await generateText({ model: model(), messages, maxRetries: 0 }).catch((caught: unknown) => caught)
    expect(APICallError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({ statusCode: 404, message: expect.stringContaining('not found') })
  })

  it('throws its own error with our message and status', async () => {
    const error = await generateText({ model: model('wrong'), prompt, maxRetries: 0 }).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ statusCode: 401, isRetryable: false, message: expect.stringContaining('API key') })
  })
})

const outputTokensOf = (message: { usage_metadata?: { output_tokens: number } | undefined } | undefined) =>
  message?.usage_metadata?.output_tokens

const chats = [
  {
    name: 'AzureChatOpenAI',
    make: (apiKey?: string) =>
      new AzureChatOpenAI({
        azureOpenAIEndpoint: stack.baseUrl,
        azureOpenAIApiKey: apiKey ?? tenant.apiKey,
        azureOpenAIApiDeploymentName: 'chat',
        azureOpenAIApiVersion: '2025-04-01-preview',
        useResponsesApi: true,
        maxRetries: 0,
      }),
  },
  {
    name: 'ChatOpenAI on v1',
    make: (apiKey?: string) =>
      new ChatOpenAI({
        model: 'chat',
        apiKey: apiKey ?? tenant.apiKey,
        useResponsesApi: true,
        maxRetries: 0,
        configuration: { baseURL: `${stack.baseUrl}/openai/v1` },
      }),
  },
]

describe.each(chats)('LangChain’s $name with useResponsesApi', ({ make }) => {
  it('gets a response with usage', async () => {
    const answer = await make().invoke(prompt)
    expect(answer.text).toBe('Hello there')
    expect(outputTokensOf(answer)).toBe(2)
    expect(answer.response_metadata['id']).toMatch(/^resp_[0-9a-z]{26}$/)
  })

  it('streams one', async () => {
    const chunks = await Array.fromAsync(await make().stream(prompt))
    expect(chunks.map((chunk) => chunk.text).join('')).toBe('Hello there')
    expect(outputTokensOf(chunks.findLast((chunk) => chunk.usage_metadata))).toBe(2)
  })

  it('goes on from one by its id, and from none of another tenant', async () => {
    const first = await make().invoke(prompt)
    const id = String(first.response_metadata['id'])
    const second = await make().invoke(prompt, { previous_response_id: id })
    expect(second.text).toBe('Hello there')
    const error = await make(other.apiKey)
      .invoke(prompt, { previous_response_id: id })
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 404 })
  })

  it('sends a conversation back with the items that it got', async () => {
    const first = await make().invoke(prompt)
    const again = await make().invoke([{ role: 'user', content: prompt }, first, { role: 'user', content: prompt }])
    expect(again.text).toBe('Hello there')
  })
})
