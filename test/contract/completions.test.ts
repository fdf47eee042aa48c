import { createAzure } from '@ai-sdk/azure'
import { AzureOpenAI as LangChainAzure, OpenAI as LangChain } from '@langchain/openai'
import { generateText, streamText } from 'ai'
import { makeMediaTenant, usageByOperation } from '../harness/media-tenant'
import { aiSdkUrls, mediaStack } from './media-stack'
import { sdkClients } from './sdk-clients'

const { stack, target } = mediaStack()
const prompt = 'Say hello [[echo:Hello there]]'

describe.each(sdkClients)('completions with $name', ({ make }) => {
  it('come whole, with usage', async () => {
    const answer = await make(target()).completions.create({ model: 'instruct', prompt })
    expect(answer.choices[0]?.text).toBe('Hello there')
    expect(answer.usage?.completion_tokens).toBe(2)
  })

  it('stream, without a usage chunk that was not asked for', async () => {
    const stream = await make(target()).completions.create({ model: 'instruct', prompt, stream: true })
    const chunks = await Array.fromAsync(stream)
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('Hello there')
    expect(chunks.filter(({ usage }) => usage)).toEqual([])
  })

  it('stream with the usage chunk that was asked for', async () => {
    const request = { model: 'instruct', prompt, stream: true, stream_options: { include_usage: true } } as const
    const chunks = await Array.fromAsync(await make(target()).completions.create(request))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } })
  })

  it('answer every prompt as often as was asked', async () => {
    const answer = await make(target()).completions.create({ model: 'instruct', prompt: [prompt, prompt], n: 2 })
    expect(answer.choices.map(({ index, text }) => [index, text])).toEqual([0, 1, 2, 3].map((n) => [n, 'Hello there']))
  })

  it('throw when a stream breaks off in the middle', async () => {
    const broken = '[[tokens:50]] [[fault:cut]]'
    const stream = await make(target()).completions.create({ model: 'instruct', prompt: broken, stream: true })
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'upstream_failed' })
  })
})

describe.each(aiSdkUrls('2024-10-21'))('completions with @ai-sdk/azure $urls', ({ settings }) => {
  const model = () =>
    createAzure({ baseURL: `${target().baseUrl}/openai`, apiKey: target().apiKey, ...settings }).completion('instruct')

  it('come whole, with usage', async () => {
    const { text, usage } = await generateText({ model: model(), prompt, maxRetries: 0 })
    expect(text).toBe('Hello there')
    expect(usage.outputTokens).toBe(2)
  })

  it('stream, with usage', async () => {
    const result = streamText({ model: model(), prompt, maxRetries: 0 })
    expect((await Array.fromAsync(result.textStream)).join('')).toBe('Hello there')
    expect((await result.usage).outputTokens).toBe(2)
  })
})

const langChains = [
  {
    name: 'AzureOpenAI',
    make: () =>
      new LangChainAzure({
        azureOpenAIBasePath: `${target().baseUrl}/openai/deployments`,
        azureOpenAIApiKey: target().apiKey,
        azureOpenAIApiDeploymentName: 'instruct',
        azureOpenAIApiVersion: '2024-10-21',
        maxRetries: 0,
      }),
  },
  {
    name: 'OpenAI on v1',
    make: () =>
      new LangChain({
        model: 'instruct',
        apiKey: target().apiKey,
        maxRetries: 0,
        configuration: { baseURL: `${target().baseUrl}/openai/v1` },
      }),
  },
]

describe.each(langChains)('completions with LangChain $name', ({ make }) => {
  it('come whole and stream', async () => {
    expect(await make().invoke(prompt)).toBe('Hello there')
    expect((await Array.fromAsync(await make().stream(prompt))).join('')).toBe('Hello there')
  })
})

it('all of them were counted, streams by the provider’s own usage', async () => {
  const own = await makeMediaTenant(stack())
  const [client] = sdkClients
  const completions = client?.make({ ...target(), apiKey: own.apiKey }).completions
  await completions?.create({ model: 'instruct', prompt: '[[tokens:30]]' })
  await Array.fromAsync((await completions?.create({ model: 'instruct', prompt: '[[tokens:40]]', stream: true })) ?? [])
  const { completions: row } = await usageByOperation(stack(), own)
  expect(row).toMatchObject({ calls: 2, unsettled: 0, outputTokens: 70 })
})
