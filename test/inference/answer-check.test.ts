import { isObjectAnswer, whyNoAnswer, whyNoSound } from '../../src/inference/answer-check'

const check = (body: string | Buffer, { status = 200, type = 'application/json', mayAnswerText = false } = {}) =>
  whyNoAnswer({ status, headers: { 'content-type': type } }, Buffer.from(body), mayAnswerText ? { mayAnswerText } : {})

describe('a success', () => {
  it.each(['{}', ' {"a":1}\n', `{"a":"${'x'.repeat(100_000)}"}`, `  {"a":[${'1,'.repeat(50_000)}1]}  `])(
    'is an answer where it is a JSON object',
    (body) => expect(check(body)).toBeUndefined(),
  )

  it.each([
    '',
    ' ',
    '{',
    '[]',
    'null',
    '1',
    '"x"',
    '<html>',
    '{"a":1',
    '{"a":{"b":1}',
    '{"a":"}',
    '{"a":1}]',
    '{"a":1} {}',
    '{page}',
    `{"a":"${'x'.repeat(100_000)}`,
    ' '.repeat(100_000),
  ])('is none where it is something else', (body) => expect(check(body)).toBe('a success without JSON'))

  it('is none by another status than 200, and a refusal is not judged', () => {
    expect(check('{}', { status: 204 })).toBe('HTTP 204')
    expect(check('{}', { status: 302 })).toBe('HTTP 302')
    expect(check('<html>', { status: 400, type: 'text/html' })).toBeUndefined()
  })

  it('may be text of a surface that has it, and never a page', () => {
    expect(check('1\n00:00', { type: 'text/plain; charset=utf-8', mayAnswerText: true })).toBeUndefined()
    expect(check('', { type: 'text/vtt', mayAnswerText: true })).toBeUndefined()
    expect(check('text', { type: 'text/plain' })).toBeDefined()
    expect(check('<html>', { type: 'Text/HTML', mayAnswerText: true })).toBeDefined()
    expect(check('{"text":', { mayAnswerText: true })).toBeDefined()
  })
})

it('sound has a type of its own or none', () => {
  const of = (type: string | undefined) => whyNoSound({ headers: { 'content-type': type } })
  expect([of('audio/mpeg'), of('application/octet-stream'), of(undefined)]).toEqual([undefined, undefined, undefined])
  expect(of('text/html')).toBe('a success of type text/html')
  expect(of('application/json; charset=utf-8')).toBe('a success of type application/json')
})

it('bytes that are no UTF-8 are no reason to throw', () => {
  expect(isObjectAnswer(Buffer.from([0x7b, 0xff, 0x7d]))).toBe(false)
})
