import fc from 'fast-check'
import { readLine, rewriteLine } from '../../src/batches/batch-line'
import { checkInput, type CheckRules, type InputCheck } from '../../src/batches/check-input'
import { LINE_BYTES_MAX, readLines } from '../../src/batches/read-lines'
import type { ModelAlias } from '../../src/tenants/snapshot'

const alias: ModelAlias = {
  name: 'night',
  model: 'gpt-4.1-mini',
  capabilities: ['batch'],
  groups: [],
  outputTokensMax: 100,
  outputTokensField: 'max_completion_tokens',
}
const rules: CheckRules = {
  endpoint: '/v1/chat/completions',
  model: undefined,
  aliasOf: (name) => (name === 'night' ? alias : undefined),
  costOf: (_, { promptTokens, outputTokens }) => promptTokens + 2 * outputTokens,
}
const messages = [{ role: 'user', content: 'Hi' }]
const line = (n: number, body: object = {}, more: object = {}) =>
  JSON.stringify({
    custom_id: `task-${n}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'night', messages, ...body },
    ...more,
  })

async function* pieces(text: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const check = (text: string, more: Partial<CheckRules> = {}) => checkInput(pieces(text), { ...rules, ...more })
const faultsOf = (result: InputCheck) =>
  result.kind === 'refused' ? result.faults.map(({ code, line: at, param }) => [code, at, param]) : result

describe('the input of a batch', () => {
  it('is sound with one url, one alias and an id for each line, and is estimated with the cap where a line has none', async () => {
    const result = await check([line(1, { max_tokens: 10 }), line(2), '', line(3, { n: 3 })].join('\n'))
    if (result.kind !== 'sound') throw new Error(JSON.stringify(result))
    expect(result).toMatchObject({ alias, lines: 3 })
    expect(result.tokens - result.promptTokens).toBe(10 + 100 + 300)
    expect(result.microUsd).toBe(result.promptTokens + 2 * 410)
  })

  it.each([
    ['nothing', '', ['empty_file', null, null]],
    ['blank lines', '\n \r\n', ['empty_file', null, null]],
    ['a byte order mark', `\ufeff${line(1)}`, ['invalid_request', null, null]],
    ['what is no JSON', `${line(1)}\n{"custom_id": "x"`, ['invalid_json_line', 2, null]],
    ['an array', '[]', ['invalid_json_line', 1, null]],
    ['a field twice', '{"custom_id":"a","custom_id":"b"}', ['invalid_json_line', 1, null]],
    ['no custom_id', line(1, {}, { custom_id: '' }), ['invalid_request', 1, 'custom_id']],
    ['a custom_id twice', `${line(1)}\n${line(1)}`, ['duplicate_custom_id', 2, 'custom_id']],
    ['another method', line(1, {}, { method: 'GET' }), ['invalid_request', 1, 'method']],
    ['another url', line(1, {}, { url: '/v1/responses' }), ['url_mismatch', 1, 'url']],
    ['no body', line(1, {}, { body: 'x' }), ['invalid_request', 1, 'body']],
    ['no model', line(1, { model: null }), ['model_not_found', 1, 'body.model']],
    ['a model of nobody', line(1, { model: 'chat' }), ['model_not_found', 1, 'body.model']],
    ['two models', `${line(1)}\n${line(2, { model: 'chat' })}`, ['model_mismatch', 2, 'body.model']],
    ['more output than the cap', line(1, { max_tokens: 101 }), ['invalid_request', 1, 'body.max_tokens']],
    ['a stream', line(1, { stream: true }), ['invalid_request', 1, 'body.stream']],
    ['an answer that stays there', line(1, { store: true }), ['invalid_request', 1, 'body.store']],
    ['no messages', line(1, { messages: [] }), ['invalid_request', 1, 'body.messages']],
    [
      'a file of an account',
      line(1, { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] }),
      ['invalid_request', 1, 'body.messages[0].content[0].file.file_id'],
    ],
  ])('with %s is refused', async (_, text, expected) => {
    expect(faultsOf(await check(text))).toEqual([expected])
  })

  it('must name the model that the request named', async () => {
    expect(faultsOf(await check(line(1), { model: 'day' }))).toEqual([['model_mismatch', 1, 'body.model']])
    expect(await check(line(1), { model: 'night' })).toMatchObject({ kind: 'sound' })
  })

  it('tells all faults together up to a hundred, and quotes none of the text', async () => {
    const secret = 'very-secret'
    const text = Array.from({ length: 150 }, () => line(1, { messages: secret, model: secret })).join('\n')
    const result = await check(text)
    if (result.kind !== 'refused') throw new Error('refused')
    expect(result.faults).toHaveLength(100)
    expect(JSON.stringify(result)).not.toContain(secret)
  })

  it('has at most 100,000 lines', async () => {
    async function* file() {
      for (let i = 0; i <= 100_000; i++) yield Buffer.from(`${line(i)}\n`)
    }
    expect(faultsOf(await checkInput(file(), rules))).toEqual([['too_many_tasks', null, null]])
  })

  it('takes responses with either spelling of the endpoint, and bounds their output', async () => {
    const body = (more: object) => ({ url: '/responses', body: { model: 'night', input: 'Hi', ...more } })
    const responses = { endpoint: '/v1/responses' } as const
    expect(await check(line(1, {}, body({})), responses)).toMatchObject({ kind: 'sound' })
    for (const [more, param] of [
      [{ max_output_tokens: 101 }, 'max_output_tokens'],
      [{ background: true }, 'background'],
      [{ store: true }, 'store'],
      [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
      [{ input: 7 }, 'input'],
    ] as const)
      expect(faultsOf(await check(line(1, {}, body(more)), responses))).toEqual([
        ['invalid_request', 1, `body.${param}`],
      ])
  })
})

describe('a line on its way to the account', () => {
  const sent = (text: string, endpoint: CheckRules['endpoint'] = '/v1/chat/completions') => {
    const read = readLine({ bytes: Buffer.from(text), number: 1 }, endpoint)
    if ('code' in read) throw new Error(read.message)
    return rewriteLine(read, { alias, deployment: 'their-batch' }).toString()
  }

  it('names the deployment and the cap; every other byte is as it came', () => {
    const before =
      '{ "custom_id":"a" ,"method":"POST","url":"/v1/chat/completions","body": {"seed":12345678901234567890,'
    expect(sent(`${before}"model":"night","messages":[{}]}}`)).toBe(
      `${before.replace('{"seed"', '{"max_completion_tokens":100,"seed"')}"model":"their-batch","messages":[{}]}}`,
    )
  })

  it('keeps a cap of its own', () => {
    expect(sent(line(1, { max_tokens: 5 }))).toBe(line(1, { model: 'their-batch', max_tokens: 5 }))
  })

  it('has the account keep no response', () => {
    const body = { model: 'night', input: 'Hi' }
    const text = sent(line(1, {}, { url: '/v1/responses', body }), '/v1/responses')
    expect(JSON.parse(text)).toMatchObject({ body: { model: 'their-batch', store: false, max_output_tokens: 100 } })
  })
})

describe('the lines of a file', () => {
  it('are the same in whatever pieces it comes', async () => {
    const text = fc.array(fc.constantFrom('a', '\n', '\r\n', ' ', 'ü', 'bcd'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (parts, size) => {
        const whole = parts.join('')
        const expected = whole
          .split('\n')
          .map((part, at) => [part.endsWith('\r') ? part.slice(0, -1) : part, at + 1])
          .filter(([part]) => String(part).trim() !== '')
        const found = await Array.fromAsync(readLines(pieces(whole, size)))
        expect(found.map(({ bytes, number }) => [bytes.toString(), number])).toEqual(expected)
      }),
    )
  })

  it('are held no longer than a line may be', async () => {
    async function* endless() {
      for (let i = 0; i < 30; i++) yield Buffer.alloc(1024 * 1024, 'x')
    }
    const [only] = await Array.fromAsync(readLines(endless()))
    expect(only?.bytes).toHaveLength(LINE_BYTES_MAX)
  })
})
