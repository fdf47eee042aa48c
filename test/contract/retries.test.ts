import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAzure } from '@ai-sdk/azure'
import { AzureChatOpenAI } from '@langchain/openai'
import { generateText } from 'ai'
import { Problem } from '../../src/base/problem'
import { problemCodes, type ProblemCode } from '../../src/base/problem-codes'
import { renderProblem } from '../../src/inference/answer'
import { chatBody, chatPath, post } from '../harness/call'
import { chatAlias, startTestStack, type TenantOptions, type TestStack } from '../harness/stack'
import { json, scriptedBackend, type ScriptedBackend } from '../inference/scripted-backend'
import { sdkClients } from './sdk-clients'
import { watchedFetch, type WatchedFetch } from './watched-fetch'

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

interface Target {
  readonly baseUrl: string
  readonly apiKey: string
}

interface RetryingClient {
  readonly name: string
  /** How it knows that trying again is of no use: by `x-should-retry`, by the code `insufficient_quota`, or not at all. */
  readonly stopsAt: 'header' | 'code' | 'nothing'
  /** One chat call with so many retries; its text. */
  ask(target: Target, watched: WatchedFetch, retries: number, prompt?: string): Promise<string>
}

const HELLO = 'Hi [[echo:Hello there]]'

const clients: readonly RetryingClient[] = [
  ...sdkClients.map(({ name, make }): RetryingClient => ({
    name,
    stopsAt: 'header',
    ask: async (target, { fetch }, maxRetries, content = HELLO) => {
      const client = make(target, { fetch, maxRetries })
      const answer = await client.chat.completions.create({ model: 'chat', messages: [{ role: 'user', content }] })
      return answer.choices[0]?.message.content ?? ''
    },
  })),
  {
    name: 'LangChain',
    stopsAt: 'code',
    ask: async ({ baseUrl, apiKey }, { fetch }, maxRetries, prompt = HELLO) => {
      const model = new AzureChatOpenAI({
        azureOpenAIEndpoint: baseUrl,
        azureOpenAIApiKey: apiKey,
        azureOpenAIApiDeploymentName: 'chat',
        azureOpenAIApiVersion: '2024-10-21',
        maxRetries,
        configuration: { fetch },
      })
      return (await model.invoke(prompt)).text
    },
  },
  {
    name: '@ai-sdk/azure',
    stopsAt: 'nothing',
    ask: async ({ baseUrl, apiKey }, { fetch }, maxRetries, prompt = HELLO) => {
      const model = createAzure({ baseURL: `${baseUrl}/openai`, apiKey, fetch }).chat('chat')
      return (await generateText({ model, prompt, maxRetries })).text
    },
  },
]

async function tenantWith(options: TenantOptions = {}): Promise<Target> {
  const backend = await stack.makeBackend('gpt-4.1-mini')
  const { apiKey } = await stack.makeTenant({ aliases: [chatAlias('chat', [[backend]])], ...options })
  return { baseUrl: stack.baseUrl, apiKey }
}

const statusesOf = ({ answers }: WatchedFetch) => answers.map(({ status }) => status)

describe.each(clients)('$name', ({ ask, stopsAt }) => {
  it.concurrent('is served after a short throttle, whose two headers agree and are at most a minute', async () => {
    const slow = await gatedBackend()
    const [own, held] = await Promise.all([
      stack.makeBackend('gpt-4.1-mini'),
      stack.makeBackend('slow', { api: { kind: 'openai-compatible' }, endpoint: slow.backend.endpoint }),
    ])
    const target = await tenantWith({
      aliases: [chatAlias('chat', [[own]]), chatAlias('slow', [[held]])],
      limitOverrides: { concurrentCalls: 1 },
    })
    const holding = post(target, chatPath, chatBody('x', { model: 'slow' }))
    await slow.begun
    const watched = watchedFetch(async (status) => {
      if (status !== 429) return
      slow.open()
      await holding
    })
    expect(await ask(target, watched, 2)).toBe('Hello there')
    expect(statusesOf(watched)).toEqual([429, 200])
    const headers = watched.answers[0]?.headers
    const waitMs = Number(headers?.get('retry-after-ms'))
    expect(waitMs).toBeGreaterThan(0)
    expect(waitMs).toBeLessThanOrEqual(60_000)
    expect(headers?.get('retry-after')).toBe(String(Math.ceil(waitMs / 1_000)))
    expect(headers?.get('x-should-retry')).toBeNull()
    await slow.close()
  })

  it.concurrent('is told by the rate headers how its tenant stands, with the 429 as with the answer', async () => {
    const target = await tenantWith({ limitOverrides: { requestsPerMinute: 1, tokensPerMinute: 5_000 } })
    const watched = watchedFetch()
    await ask(target, watched, 0)
    await expect(ask(target, watched, 0)).rejects.toThrow()
    expect(statusesOf(watched)).toEqual([200, 429])
    for (const { headers } of watched.answers) {
      expect(headers.get('x-ratelimit-limit-requests')).toBe('1')
      expect(headers.get('x-ratelimit-remaining-requests')).toBe('0')
      expect(headers.get('x-ratelimit-limit-tokens')).toBe('5000')
      expect(Number(headers.get('x-ratelimit-remaining-tokens'))).toBeGreaterThan(0)
      expect(Number(headers.get('x-ratelimit-reset-requests'))).toBeGreaterThan(0)
    }
  })

  it.concurrent('asks once where the budget is used up, if it can tell, and is never told a long wait', async () => {
    const target = await tenantWith({ budgetOverrides: { tokensPerDay: { limit: 1 } } })
    const watched = watchedFetch()
    await expect(ask(target, watched, 1)).rejects.toThrow(/daily budget of tokens/)
    expect(statusesOf(watched)).toEqual(stopsAt !== 'nothing' ? [429] : [429, 429])
    for (const { headers } of watched.answers) {
      expect(headers.get('x-should-retry')).toBe('false')
      expect(headers.get('retry-after')).toBeNull()
      expect(headers.get('retry-after-ms')).toBeNull()
    }
  })

  it.concurrent('asks again where the backend failed, and is served when it is back', async () => {
    const backend = await scriptedBackend('coming-back', (response, request) =>
      backend.calls.length === 1
        ? json(500, { error: { message: 'down', type: 'server_error', code: null } })(response, request)
        : json(200, completion('back again'))(response, request),
    )
    const id = await stack.makeBackend('coming-back', {
      api: { kind: 'openai-compatible' },
      endpoint: backend.backend.endpoint,
    })
    const target = await tenantWith({ aliases: [chatAlias('chat', [[id]])] })
    const watched = watchedFetch()
    expect(await ask(target, watched, 1)).toBe('back again')
    expect(statusesOf(watched)).toEqual([502, 200])
    expect(backend.calls).toHaveLength(2)
    await backend.close()
  })

  it.concurrent('asks once where only the operator can help, if it can tell', async () => {
    const id = await stack.makeBackend('no-such-deployment')
    const target = await tenantWith({ aliases: [chatAlias('chat', [[id]])] })
    const watched = watchedFetch()
    await expect(ask(target, watched, 1)).rejects.toThrow(/operator is informed/)
    expect(statusesOf(watched)).toEqual(stopsAt === 'header' ? [502] : [502, 502])
  })

  it.concurrent('asks once where it is at fault itself', async () => {
    const watched = watchedFetch()
    await expect(ask(await tenantWith(), watched, 1, '[[filter:jailbreak]]')).rejects.toThrow()
    await expect(ask({ ...(await tenantWith()), apiKey: 'wrong' }, watched, 1)).rejects.toThrow()
    expect(statusesOf(watched)).toEqual([400, 401])
  })
})

it.concurrent('a client that says how often it has tried is limited like any other', async () => {
  const target = await tenantWith({ limitOverrides: { requestsPerMinute: 2 } })
  const statuses: number[] = []
  for (const count of ['0', '7', '-1', 'no number']) {
    statuses.push((await post(target, chatPath, chatBody(), { 'x-stainless-retry-count': count })).status)
  }
  expect(statuses).toEqual([200, 200, 429, 429])
})

describe('a refusal with the code', () => {
  let server: Server
  let requests: ProblemCode[] = []
  let baseUrl: string

  /** Renders the problem that the key names, as the app does. */
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume()
      const code = request.headers['api-key'] ?? request.headers.authorization?.slice('Bearer '.length)
      const problem = new Problem(code as ProblemCode, 'Refused.', { retryAfterMs: 1 })
      requests.push(problem.code)
      const { status, headers, body } = renderProblem(problem, 'call_1')
      response.writeHead(status, headers).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => {
    requests = []
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  const obedient = clients.filter(({ stopsAt }) => stopsAt === 'header')
  const codes = Object.entries(problemCodes).map(([code, { status, retryable }]) => ({ code, status, retryable }))

  it.each(codes.filter(({ retryable }) => !retryable))('$code is never tried again', async ({ code }) => {
    for (const { ask } of obedient) await expect(ask({ baseUrl, apiKey: code }, watchedFetch(), 1)).rejects.toThrow()
    expect(requests).toHaveLength(obedient.length)
  })

  const healing = codes.filter(({ status, retryable }) => retryable && (status === 429 || status >= 500))
  it.each(healing)('$code is tried again', async ({ code }) => {
    for (const { ask, name } of obedient) {
      requests = []
      await expect(ask({ baseUrl, apiKey: code }, watchedFetch(), 1)).rejects.toThrow()
      expect([name, requests]).toEqual([name, [code, code]])
    }
  })
})

const completion = (content: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
})

/** A backend whose answer waits until it is let go. */
async function gatedBackend(): Promise<ScriptedBackend & { readonly begun: Promise<void>; open(): void }> {
  let open = () => {}
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const backend = await scriptedBackend('slow', (response, request) => {
    begin()
    void gate.then(() => json(200, completion('late'))(response, request))
  })
  return { ...backend, begun, open }
}
