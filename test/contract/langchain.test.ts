import { AzureChatOpenAI, AzureOpenAIEmbeddings, ChatOpenAI } from '@langchain/openai'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

let stack: TestStack
let tenant: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  tenant = await stack.makeTenant()
})
afterAll(() => stack.stop())

const chats = [
  {
    name: 'AzureChatOpenAI',
    make: (apiKey = tenant.apiKey, maxRetries = 0) =>
      new AzureChatOpenAI({
        azureOpenAIEndpoint: stack.baseUrl,
        azureOpenAIApiKey: apiKey,
        azureOpenAIApiDeploymentName: 'chat',
        azureOpenAIApiVersion: '2024-10-21',
        maxRetries,
      }),
  },
  {
    name: 'ChatOpenAI on v1',
    make: (apiKey = tenant.apiKey, maxRetries = 0) =>
      new ChatOpenAI({
        model: 'chat',
        apiKey,
        maxRetries,
        configuration: { baseURL: `${stack.baseUrl}/openai/v1` },
      }),
  },
]
const outputTokensOf = (message: { usage_metadata?: { output_tokens: number } | undefined } | undefined) =>
  message?.usage_metadata?.output_tokens
const prompt = 'Say hello [[echo:Hello there]]'

describe.each(chats)('$name', ({ make }) => {
  it('gets a chat completion with usage', async () => {
    const answer = await make().invoke(prompt)
    expect(answer.text).toBe('Hello there')
    expect(outputTokensOf(answer)).toBe(2)
  })

  it('streams a chat completion', async () => {
    const chunks = await Array.fromAsync(await make().stream(prompt))
    expect(chunks.map((chunk) => chunk.text).join('')).toBe('Hello there')
    expect(outputTokensOf(chunks.findLast((chunk) => chunk.usage_metadata))).toBe(2)
  })

  it('calls tools and gets structured output', async () => {
    const schema = {
      name: 'answer',
      type: 'object',
      properties: { size: { enum: ['small', 'large'] } },
      required: ['size'],
      additionalProperties: false,
    }
    const structured = make().withStructuredOutput(schema, { method: 'functionCalling', name: 'answer' })
    const result = (await structured.invoke('A size')) as { size: unknown }
    expect(['small', 'large']).toContain(result.size)
  })

  it('throws with our status and message', async () => {
    const error = await make('wrong')
      .invoke(prompt)
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 401, message: expect.stringContaining('API key') })
  })

  it('retries our 429 and is then served', async () => {
    const limited = await stack.makeTenant({ limitOverrides: { concurrentCalls: 1 } })
    const model = make(limited.apiKey, 5)
    const answers = await Promise.all([1, 2, 3].map(() => model.invoke(prompt)))
    expect(answers.map(({ text }) => text)).toEqual(Array(3).fill('Hello there'))
  })
})

it('AzureOpenAIEmbeddings gets embeddings', async () => {
  const embeddings = new AzureOpenAIEmbeddings({
    azureOpenAIBasePath: `${stack.baseUrl}/openai/deployments`,
    azureOpenAIApiKey: tenant.apiKey,
    azureOpenAIApiDeploymentName: 'embed',
    azureOpenAIApiVersion: '2024-10-21',
  })
  const vectors = await embeddings.embedDocuments(['one', 'two'])
  expect(vectors.map((vector) => vector.length)).toEqual([1_536, 1_536])
})
