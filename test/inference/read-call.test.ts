import fc from 'fast-check'
import { Problem } from '../../src/base/problem'
import { estimateTokens } from '../../src/inference/estimate'
import { matchPath } from '../../src/inference/match-path'
import { parseCall, type Call } from '../../src/inference/read-call'

function targetOf(url: string) {
  const [path = '', query] = url.split('?')
  const target = matchPath('POST', path, new URLSearchParams(query))
  if (target instanceof Problem || target.kind !== 'call') throw new Error('not a call')
  return target
}
const chat = targetOf('/openai/v1/chat/completions')
const embeddings = targetOf('/openai/v1/embeddings')
const scoped = targetOf('/openai/deployments/path/chat/completions?api-version=2024-10-21')
const read = (body: unknown, target = chat) =>
  parseCall(target, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
const messages = [{ role: 'user', content: 'Hi' }]

describe('a call', () => {
  it("takes the path's deployment before the body's model", () => {
    expect(read({ model: 'body', messages }, scoped)).toMatchObject({ alias: 'path' })
    expect(read({ model: 'body', messages })).toMatchObject({ alias: 'body' })
  })

  it.each([
    ['', 'invalid_json', undefined],
    ['{', 'invalid_json', undefined],
    ['[]', 'invalid_json', undefined],
    ['null', 'invalid_json', undefined],
    ['"text"', 'invalid_json', undefined],
    ['{"model":"chat","model":"other","messages":[{}]}', 'invalid_request', 'model'],
    [{ messages }, 'invalid_request', 'model'],
    [{ model: '', messages }, 'invalid_request', 'model'],
    [{ model: 7, messages }, 'invalid_request', 'model'],
    [{ model: 'x'.repeat(257), messages }, 'invalid_request', 'model'],
    [{ model: 'chat' }, 'invalid_request', 'messages'],
    [{ model: 'chat', messages: {} }, 'invalid_request', 'messages'],
    [{ model: 'chat', messages: [] }, 'invalid_request', 'messages'],
    [{ model: 'chat', messages: [messages[0], 'text'] }, 'invalid_request', 'messages[1]'],
    [{ model: 'chat', messages, stream: 'yes' }, 'invalid_request', 'stream'],
    [{ model: 'chat', messages, stream_options: [] }, 'invalid_request', 'stream_options'],
    [
      { model: 'chat', messages, stream_options: { include_usage: 1 } },
      'invalid_request',
      'stream_options.include_usage',
    ],
    [{ model: 'chat', messages, max_tokens: 0 }, 'invalid_request', 'max_tokens'],
    [{ model: 'chat', messages, max_tokens: 1.5 }, 'invalid_request', 'max_tokens'],
    [{ model: 'chat', messages, max_completion_tokens: '9' }, 'invalid_request', 'max_completion_tokens'],
    [{ model: 'chat', messages, n: 129 }, 'invalid_request', 'n'],
  ])('with the body %j is refused as %s', (body, code, param) => {
    const result = read(body)
    expect(result).toBeInstanceOf(Problem)
    expect(result).toMatchObject({ code, param })
  })

  it.each([
    { model: 'embed' },
    { model: 'embed', input: '' },
    { model: 'embed', input: [] },
    { model: 'embed', input: 5 },
  ])('for embeddings with the body %j is refused by its input', (body) => {
    expect(read(body, embeddings)).toMatchObject({ code: 'invalid_request', param: 'input' })
  })

  it('that is not UTF-8 is refused', () => {
    expect(parseCall(chat, Buffer.from([0x7b, 0xff, 0x7d]))).toMatchObject({ code: 'invalid_json' })
  })

  it('never makes the reader throw, whatever its bytes are', () => {
    const anyBody = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(anyBody, fc.constantFrom(chat, embeddings, scoped), (bytes, target) => {
        const result = parseCall(target, bytes)
        if (!(result instanceof Problem)) expect(estimateTokens(result, 10).total).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })

  it('with hostile values in known fields never makes the reader or the estimate throw', () => {
    const message = fc.record(
      { role: fc.anything(), content: fc.anything(), tool_calls: fc.anything() },
      { requiredKeys: [] },
    )
    const body = fc.record({ messages: fc.array(message, { minLength: 1 }), tools: fc.anything(), n: fc.anything() })
    fc.assert(
      fc.property(body, (fields) => {
        const result = read({ model: 'chat', ...fields })
        if (!(result instanceof Problem)) expect(estimateTokens(result, 1).total).toBeGreaterThan(0)
      }),
    )
  })
})

describe('the estimate', () => {
  const total = (body: object, target = chat) => estimateTokens(read(body, target) as Call, 100).total

  it('reserves the allowed output for every choice', () => {
    expect(total({ model: 'chat', messages, n: 3 }) - total({ model: 'chat', messages })).toBe(200)
  })

  it('counts text, tools, images and token arrays, not the base 64 of an image', () => {
    const withImage = [
      { role: 'user', content: [{ type: 'image_url', image_url: { url: `data:${'x'.repeat(1e6)}` } }] },
    ]
    expect(total({ model: 'chat', messages: withImage })).toBeLessThan(2_000)
    expect(total({ model: 'chat', messages, tools: [{ text: 'x'.repeat(4_000) }] })).toBeGreaterThan(1_000)
    expect(total({ model: 'embed', input: [[1, 2, 3], [4]] }, embeddings)).toBe(104)
  })
})
