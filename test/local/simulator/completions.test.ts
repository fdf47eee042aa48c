import { countTokens, encode } from 'gpt-tokenizer/encoding/cl100k_base'
import { events, runningSimulator } from './running'
import { sdkClients } from './sdk-clients'

const simulator = runningSimulator({ deployments: { instruct: { model: 'gpt-35-turbo-instruct-0914' } } })
const PATH = '/openai/deployments/instruct/completions?api-version=2024-10-21'
const complete = (body: object, headers?: Record<string, string>) => simulator.post(PATH, body, headers)

describe.each(sdkClients(simulator.url))('completions: %s', (_name, makeClient) => {
  it('gets the asked length, with usage that adds up', async () => {
    const prompt = 'Write of the harbour. [[tokens:12]]'
    const answer = await makeClient().completions.create({ model: 'instruct', prompt, max_tokens: 50 })

    expect(answer.object).toBe('text_completion')
    expect(answer.model).toBe('gpt-35-turbo-instruct-0914')
    expect(countTokens(answer.choices[0]?.text ?? '')).toBe(12)
    expect(answer.choices[0]?.finish_reason).toBe('stop')
    expect(answer.usage).toEqual({
      prompt_tokens: countTokens(prompt),
      completion_tokens: 12,
      total_tokens: countTokens(prompt) + 12,
    })
  })

  it('streams the same text that it answers in one piece', async () => {
    const client = makeClient()
    const request = { model: 'instruct', prompt: ['one', 'two'], max_tokens: 9 }
    const whole = await client.completions.create(request)
    const texts = ['', '']
    let usage: unknown
    for await (const chunk of await client.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    })) {
      for (const choice of chunk.choices) texts[choice.index] += choice.text
      usage = chunk.usage ?? usage
    }

    expect(texts).toEqual(whole.choices.map(({ text }) => text))
    expect(usage).toEqual(whole.usage)
  })
})

describe('a completion', () => {
  it('is charged for every answer that was tried, and shows those that were asked for', async () => {
    const answer = await complete({ prompt: ['a [[tokens:5]]', 'b [[tokens:5]]'], n: 2, best_of: 3 })
    const { choices, usage } = (await answer.json()) as { choices: unknown[]; usage: { completion_tokens: number } }

    expect(choices).toHaveLength(4)
    expect(usage.completion_tokens).toBe(2 * 3 * 5)
    const [record] = await simulator.recorded((await simulator.ledger()).last - 1)
    expect(record).toMatchObject({ operation: 'completions', work: 'call', outputTokens: 30, outcome: 'completed' })
  })

  it('is the same for a text and for its tokens', async () => {
    const text = async (prompt: unknown) => {
      const { choices } = (await (await complete({ prompt, max_tokens: 20 })).json()) as { choices: { text: string }[] }
      return choices[0]?.text
    }
    expect(await text(encode('tokens or text'))).toBe(await text('tokens or text'))
  })

  it('repeats its prompt when it is asked to', async () => {
    const answer = await complete({ prompt: 'Say [[tokens:3]]', echo: true })
    const { choices, usage } = (await answer.json()) as {
      choices: { text: string }[]
      usage: { completion_tokens: number }
    }
    expect(choices[0]?.text.startsWith('Say [[tokens:3]]')).toBe(true)
    expect(usage.completion_tokens).toBe(3)
  })

  it('streams Azure’s sequence: the prompt’s filter, texts, the finish, [DONE]', async () => {
    const answer = await complete({ prompt: '[[echo:Hi there]]', stream: true })
    const [filter, hi, there, finish, done] = events(await answer.text())
    const choice = (text: string, finish_reason: string | null) => ({
      object: 'text_completion',
      choices: [{ text, index: 0, finish_reason, logprobs: null }],
    })

    expect(filter).toMatchObject({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] })
    expect(hi).toMatchObject(choice('Hi', null))
    expect(there).toMatchObject(choice(' there', null))
    expect(finish).toMatchObject(choice('', 'stop'))
    expect(done).toBe('[DONE]')
  })

  it.each([
    ['more shown than tried', { prompt: 'a', n: 3, best_of: 2 }, 'best_of'],
    ['a maximum beyond the model’s', { prompt: 'a', max_tokens: 9_000 }, 'max_tokens'],
    ['a prompt longer than the model reads', { prompt: 'word '.repeat(4_200) }, 'prompt'],
    ['a prompt of another type', { prompt: { text: 'a' } }, 'prompt'],
  ])('with %s is refused and names the parameter', async (_name, body, param) => {
    const answer = await complete(body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param } })
  })

  it('fails as it is told to, and is throttled as chat is', async () => {
    expect((await complete({ prompt: '[[fault:status:503]]' })).status).toBe(503)
    await simulator.patch({
      deployments: { instruct: { admission: { kind: 'standard', tokensPerMinute: 40, requestsPerMinute: 600 } } },
    })
    expect((await complete({ prompt: 'a', max_tokens: 30 })).status).toBe(200)
    const throttled = await complete({ prompt: 'a', max_tokens: 30 })
    expect(throttled.status).toBe(429)
    expect(await throttled.text()).toContain('Completions_Create')
  })
})

it('a chat model takes no completions, and a completions model no chat', async () => {
  const path = '/openai/deployments/chat/completions?api-version=2024-10-21'
  expect(await (await simulator.post(path, { prompt: 'a' })).json()).toMatchObject({
    error: { code: 'OperationNotSupported' },
  })
  expect((await simulator.chat('instruct', 'hi')).status).toBe(400)
})

it('a full deployment can say so inside a stream of 200, before its first token', async () => {
  const answer = await simulator.chat('chat', {
    messages: [{ role: 'user', content: '[[fault:throttled-stream]]' }],
    stream: true,
  })

  expect(answer.status).toBe(200)
  expect(events(await answer.text())).toMatchObject([{ error: { code: '429' } }])
  expect((await simulator.chat('chat', '[[fault:throttled-stream]]')).status).toBe(429)
})
