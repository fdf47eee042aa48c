import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { StreamEvents, type ChunkShape } from '../../src/inference/stream-events'

const chunk = (data: object) => `data: ${JSON.stringify(data)}\n\n`
const delta = (content: string) => chunk({ choices: [{ index: 0, delta: { content } }], usage: null })
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
const usageChunk = chunk({ choices: [], usage })
const filterChunk = chunk({ choices: [], prompt_filter_results: [] })
const finish = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null })
const whole = filterChunk + delta('Hel') + delta('lo "usage":{') + finish + usageChunk + 'data: [DONE]\n\n'

function pass(
  text: string,
  cuts: readonly number[],
  options: { keepUsageChunk?: boolean; hidePromptFilterChunk?: boolean; events?: ChunkShape } = {},
) {
  const events = new StreamEvents({ events: 'chat', keepUsageChunk: false, hidePromptFilterChunk: false, ...options })
  const bytes = Buffer.from(text)
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length]
  const pieces = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
  const output = [...pieces.map((piece) => events.take(piece)), events.finish()]
  return { events, output: Buffer.concat(output).toString() }
}

describe('a stream of images', () => {
  it('tells how many were completed, whatever was shown of them before', () => {
    const part = chunk({ type: 'image_generation.partial_image', b64_json: 'aa', partial_image_index: 0 })
    const completed = chunk({
      type: 'image_generation.completed',
      b64_json: 'aa',
      usage: { input_tokens: 9, output_tokens: 272, input_tokens_details: { image_tokens: 4, text_tokens: 5 } },
    })
    const { events, output } = pass(part + completed, [30, 90], { events: 'images' })
    expect(output).toBe(part + completed)
    expect(events.usage).toMatchObject({ promptTokens: 9, outputTokens: 272, media: { images: 1, imageTokens: 4 } })
    expect(pass(part, [], { events: 'images' }).events.usage).toBeUndefined()
  })
})

describe('a stream on its way through', () => {
  it('gives the same bytes, usage and end wherever the network cuts it', () => {
    const cuts = fc.array(fc.nat(Buffer.byteLength(whole)), { maxLength: 12 })
    fc.assert(
      fc.property(cuts, (at) => {
        const { events, output } = pass(whole, at)
        expect(output).toBe(whole.replace(usageChunk, ''))
        expect(events.usage).toEqual({ promptTokens: 5, outputTokens: 2, cachedTokens: 0, reasoningTokens: 0 })
        expect({ done: events.done, finished: events.finished, failed: events.failed }).toEqual({
          done: true,
          finished: true,
          failed: false,
        })
      }),
    )
  })

  it('keeps the usage chunk for a client that asked for it', () => {
    expect(pass(whole, [], { keepUsageChunk: true, hidePromptFilterChunk: false }).output).toBe(whole)
  })

  it("leaves out Azure's first chunk where the tenant says so, and only that", () => {
    const { output } = pass(whole, [10], { keepUsageChunk: true, hidePromptFilterChunk: true })
    expect(output).toBe(whole.replace(filterChunk, ''))
  })

  it('reads usage that stands in the last choice chunk, and passes that chunk on', () => {
    const last = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage })
    const { events, output } = pass(delta('a') + last + 'data: [DONE]\n\n', [])
    expect(output).toContain('"finish_reason":"stop"')
    expect(events.usage?.outputTokens).toBe(2)
  })

  it('takes comments, data without a space, and a missing last empty line', () => {
    const text = `: ok\n\ndata:{"choices":[],"usage": {"prompt_tokens":1}}\n\ndata: [DONE]`
    const { events, output } = pass(text, [])
    expect(events.done).toBe(true)
    expect(events.usage?.promptTokens).toBe(1)
    expect(output.trimEnd()).toBe(': ok\n\ndata: [DONE]')
  })

  it('reads an event whatever stands before its data', () => {
    const { events, output } = pass(`: x\n${delta('a')}id: 7\n${usageChunk}retry: 1\n${finish}data: [DONE]\n\n`, [])
    expect(output).toBe(`: x\n${delta('a')}retry: 1\n${finish}data: [DONE]\n\n`)
    expect(events.usage?.promptTokens).toBe(5)
  })

  it('passes nothing on that stands behind its end', () => {
    const more = delta('more') + chunk({ choices: [], usage: { prompt_tokens: 900 } })
    const { events, output } = pass(`${whole}data: [DONE]\n\n${more}<html>\n\n`, [])
    expect(output).toBe(whole.replace(usageChunk, ''))
    expect(events).toMatchObject({ done: true, malformed: false, usage: { promptTokens: 5 } })
  })

  it.each(['<html>\n\n', 'data: {"choices":[{"de\n\n', 'data: "text"\n\n', 'data: {"a":"\0"}\n\n', '\0\0\n\n'])(
    'passes nothing on from what is no event: %j',
    (noise) => {
      const { events, output } = pass(delta('a') + noise + delta('b'), [])
      expect(events.malformed).toBe(true)
      expect(output).toBe(delta('a'))
    },
  )

  it('is whole where it was cut in the midst of its [DONE]', () => {
    expect(pass(`${delta('a')}${finish}data: [DO`, [delta('a').length + finish.length]).events.finished).toBe(true)
  })

  it('does not take a text about [DONE] or errors for the end or an error', () => {
    const { events } = pass(delta('data: [DONE] {"error":{"message":"x"}}'), [])
    expect(events.done).toBe(false)
    expect(events.failed).toBe(false)
  })

  it('notices a failure that the backend tells inside the stream', () => {
    expect(pass(delta('a') + chunk({ error: { message: 'x' } }), []).events.failed).toBe(true)
  })

  it('refuses to collect what never becomes an event', () => {
    const events = new StreamEvents({ events: 'chat', keepUsageChunk: true, hidePromptFilterChunk: false })
    const megabyte = Buffer.alloc(1024 * 1024, 'x')
    expect(() => {
      for (let i = 0; i < 6; i++) events.take(megabyte)
    }).toThrow('not an event stream')
  })

  it('counts the text of a stream that broke off', async () => {
    const { events } = pass(delta('Hello') + delta(' wor\nld "quoted"'), [3, 50])
    expect(await events.tally.tokens()).toBe(countTokens('Hello wor\nld "quoted"'))
  })

  it('counts the text of the older completions too', async () => {
    const text = (piece: string) => chunk({ choices: [{ index: 0, text: piece, finish_reason: null }], usage: null })
    const { events } = pass(text('Hello') + text(' wor\nld'), [9], { events: 'completions' })
    expect(await events.tally.tokens()).toBe(countTokens('Hello wor\nld'))
  })
})
