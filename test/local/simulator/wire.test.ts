import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { events, runningSimulator, user } from './running'

const simulator = runningSimulator({
  deployments: { later: { model: 'gpt-4.1-2025-04-14', contentFilter: 'asynchronous' } },
})
/** OpenAI's cookbook: three tokens frame a message, three open the answer, and the role is one. */
const promptTokens = (text: string) => 3 + 1 + countTokens(text) + 3
const safe = { filtered: false, severity: 'safe' }
const undetected = { filtered: false, detected: false }
const promptResults = [
  {
    prompt_index: 0,
    content_filter_results: { hate: safe, jailbreak: undetected, self_harm: safe, sexual: safe, violence: safe },
  },
]
const completionResults = { hate: safe, self_harm: safe, sexual: safe, violence: safe }

interface Chunk {
  id: string
  created: number
  model: string
  object: string
  system_fingerprint: string
  choices: { index: number; delta?: { content?: string }; finish_reason: string | null; [field: string]: unknown }[]
  usage?: unknown
}

describe('a chat stream on the wire', () => {
  it("has exactly Azure's sequence, with usage only when it was asked for", async () => {
    const answer = await simulator.chat('chat', { ...user('[[echo:Hello there]]'), stream: true })
    const [first, role, hello, there, finish, done] = events(await answer.text())
    const shared = {
      created: expect.any(Number) as number,
      id: expect.stringMatching(/^chatcmpl-[A-Za-z0-9]{29}$/) as string,
      model: 'gpt-4.1-mini-2025-04-14',
      object: 'chat.completion.chunk',
      system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{10}$/) as string,
    }
    const choice = (delta: unknown, more: object = {}) => ({
      ...shared,
      choices: [{ content_filter_results: {}, delta, finish_reason: null, index: 0, logprobs: null, ...more }],
    })

    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(first).toEqual({
      choices: [],
      created: 0,
      id: '',
      model: '',
      object: '',
      prompt_filter_results: promptResults,
    })
    expect(role).toEqual(choice({ content: '', refusal: null, role: 'assistant' }))
    expect(hello).toEqual(choice({ content: 'Hello' }, { content_filter_results: completionResults }))
    expect(there).toEqual(choice({ content: ' there' }, { content_filter_results: completionResults }))
    expect(finish).toEqual(choice({}, { finish_reason: 'stop' }))
    expect(done).toBe('[DONE]')
  })

  it('keeps one id, time and fingerprint, and says "usage":null until the usage comes', async () => {
    const body = { ...user('[[tokens:5]]'), stream: true, stream_options: { include_usage: true } }
    const chunks = events(await (await simulator.chat('chat', body)).text()).slice(0, -1) as Chunk[]
    const named = chunks.slice(1)

    expect(
      new Set(named.map(({ id, created, system_fingerprint }) => `${id} ${created} ${system_fingerprint}`)).size,
    ).toBe(1)
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { completion_tokens: 5, prompt_tokens: promptTokens('[[tokens:5]]') },
    })
  })

  it('sends the choices of n side by side and counts them all', async () => {
    const body = { ...user('[[tokens:4]]'), n: 3, stream: true, stream_options: { include_usage: true } }
    const chunks = events(await (await simulator.chat('chat', body)).text()).slice(0, -1) as Chunk[]
    const texts = ['', '', '']
    for (const { choices } of chunks) {
      for (const { index, delta } of choices) texts[index] += delta?.content ?? ''
    }

    expect(new Set(texts).size).toBe(3)
    expect(chunks.at(-1)).toMatchObject({ usage: { completion_tokens: 12 } })
  })

  it('annotates later, in messages of their own without a delta, under the asynchronous filter', async () => {
    const body = { ...user('[[tokens:50]]'), stream: true }
    const chunks = events(await (await simulator.chat('later', body)).text()).slice(1, -1) as Chunk[]
    const annotations = chunks.filter(({ choices }) => choices[0]?.delta === undefined)
    const text = chunks.map(({ choices }) => choices[0]?.delta?.content ?? '').join('')

    expect(annotations).toHaveLength(2)
    expect(annotations.at(-1)?.choices[0]?.['content_filter_offsets']).toMatchObject({ end_offset: text.length })
    const tokens = chunks.filter(({ choices }) => choices[0]?.delta?.content)
    expect(tokens.some(({ choices }) => 'content_filter_results' in (choices[0] ?? {}))).toBe(false)
  })
})

describe('a chat answer on the wire', () => {
  it("has Azure's fields and headers", async () => {
    const answer = await simulator.chat('chat', '[[echo:Bonjour]]', { 'x-ms-client-request-id': 'mine-1' })

    expect(answer.headers.get('x-request-id')).toBe(answer.headers.get('apim-request-id'))
    expect(answer.headers.get('x-ms-client-request-id')).toBe('mine-1')
    expect(answer.headers.get('x-ms-region')).toBe('East US 2')
    expect(await answer.json()).toEqual({
      id: expect.stringMatching(/^chatcmpl-/) as string,
      object: 'chat.completion',
      created: expect.any(Number) as number,
      model: 'gpt-4.1-mini-2025-04-14',
      service_tier: 'default',
      system_fingerprint: expect.any(String) as string,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          logprobs: null,
          message: { role: 'assistant', content: 'Bonjour', refusal: null, annotations: [] },
          content_filter_results: {
            ...completionResults,
            protected_material_code: undetected,
            protected_material_text: undetected,
          },
        },
      ],
      prompt_filter_results: promptResults,
      usage: {
        prompt_tokens: promptTokens('[[echo:Bonjour]]'),
        completion_tokens: countTokens('Bonjour'),
        total_tokens: promptTokens('[[echo:Bonjour]]') + countTokens('Bonjour'),
        prompt_tokens_details: { audio_tokens: 0, cached_tokens: 0 },
        completion_tokens_details: {
          accepted_prediction_tokens: 0,
          audio_tokens: 0,
          reasoning_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
    })
  })

  it('carries no filter fields on the compatible base', async () => {
    const whole = await simulator.post('/compatible/v1/chat/completions', { model: 'chat', ...user('hello') })
    const streamed = await simulator.post('/compatible/v1/chat/completions', {
      model: 'chat',
      stream: true,
      ...user('hi'),
    })

    expect(await whole.text()).not.toContain('filter')
    expect(await streamed.text()).not.toContain('filter')
  })

  it('stops before a stop sequence, and at the length that the caller allows', async () => {
    const stopped = await simulator.chat('chat', { ...user('[[echo:one two three four]]'), stop: [' three'] })
    const cut = await simulator.chat('chat', { ...user('[[tokens:50]]'), max_tokens: 7 })
    const exact = await simulator.chat('chat', { ...user('[[tokens:7]]'), max_completion_tokens: 7 })

    expect(await stopped.json()).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { content: 'one two' } }],
      usage: { completion_tokens: 2 },
    })
    expect(await cut.json()).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 7 } })
    expect(await exact.json()).toMatchObject({ choices: [{ finish_reason: 'stop' }], usage: { completion_tokens: 7 } })
  })

  it('withholds a filtered completion and charges what was generated until then', async () => {
    const whole = await simulator.chat('chat', '[[filter:completion]] [[tokens:20]]')
    const streamed = await simulator.chat('chat', { ...user('[[filter:completion]] [[tokens:20]]'), stream: true })
    const chunks = events(await streamed.text()).slice(1, -1) as Chunk[]

    expect(await whole.json()).toMatchObject({
      choices: [
        {
          finish_reason: 'content_filter',
          message: { content: '' },
          content_filter_results: { violence: { filtered: true, severity: 'medium' } },
        },
      ],
      usage: { completion_tokens: 10 },
    })
    expect(chunks.filter(({ choices }) => choices[0]?.delta?.content)).toHaveLength(10)
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('content_filter')
  })

  it('thinks inside the completion tokens, up to what the caller allows', async () => {
    const body = user('[[reasoning:128]] [[tokens:10]]')
    const free = await simulator.chat('thinker', body)
    const cut = await simulator.chat('thinker', { ...body, max_completion_tokens: 100 })
    const details = (reasoning_tokens: number) => ({ completion_tokens_details: { reasoning_tokens } })

    expect(await free.json()).toMatchObject({ usage: { completion_tokens: 138, ...details(128) } })
    expect(await cut.json()).toMatchObject({
      choices: [{ finish_reason: 'length', message: { content: '' } }],
      usage: { completion_tokens: 100, ...details(100) },
    })
  })

  it('reports a prompt prefix that was seen before as cached, from 1,024 tokens in steps of 128', async () => {
    const long = 'measure twice, cut once. '.repeat(300)
    const ask = async (tail: string) => {
      const messages = [
        { role: 'system', content: long },
        { role: 'user', content: tail },
      ]
      const { usage } = (await (await simulator.chat('chat', { messages, max_tokens: 1 })).json()) as {
        usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } }
      }
      return { prompt: usage.prompt_tokens, cached: usage.prompt_tokens_details.cached_tokens }
    }
    const first = await ask('first')
    const second = await ask('second, and longer than the first')

    expect(first.cached).toBe(0)
    expect(second.cached).toBeGreaterThanOrEqual(1_024)
    expect(second.cached % 128).toBe(0)
    expect(first.prompt - second.cached).toBeLessThan(128 + 8)
  })
})
