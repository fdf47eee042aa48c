import { UpstreamBody } from '../../src/azure/upstream-body'
import { PREAMBLE_HOLD_MS, readOpening } from '../../src/inference/stream-opening'
import { handClock } from '../harness/hand-clock'
import { eventOf, promptFilter, token } from './scripted-backend'

function opened() {
  const clock = handClock()
  const body = new UpstreamBody(() => {})
  const opening = readOpening(body, clock)
  const push = (text: string) => body.push(Buffer.from(text))
  return { clock, body, opening, push }
}
const bytesOf = async (opening: ReturnType<typeof readOpening>) => {
  const found = await opening
  return found.kind === 'begun' ? found.bytes.toString() : found
}

describe('the opening of a stream', () => {
  it.each([
    ['a token', eventOf(token('hi'))],
    ['the role that stands before the first token', eventOf({ choices: [{ index: 0, delta: { role: 'assistant' } }] })],
    ['an event of a response', `event: response.output_item.added\n${eventOf({ type: 'response.output_item.added' })}`],
    ['a whole answer that is nothing but its usage', eventOf({ choices: [], usage: { prompt_tokens: 1 } })],
    ['its end', 'data: [DONE]\n\n'],
    ['text that speaks of an "error"', eventOf(token('{"error": {"code": "server_error"}}'))],
    ['an error that is null, as some servers write into every event', eventOf({ ...token('hi'), error: null })],
    ['a filter’s error, which no other backend heals', eventOf({ error: { code: 'content_filter' } })],
    ['an error of what was asked', eventOf({ type: 'error', code: 'invalid_image', message: 'no image' })],
  ])('has begun with %s', async (_what, text) => {
    const { opening, push } = opened()
    push(text)
    expect(await bytesOf(opening)).toBe(text)
  })

  it.each([
    ['a comment on its line before', ': x\ndata: {"error": {"code": "server_error"}}\n\n'],
    ['no space behind the colon', 'data:{"error":{"code":"server_error"}}\n\n'],
    ['its name before it', 'event: error\ndata: {"type": "error", "code": "server_error"}\n\n'],
    ['a comment before it', ': keep-alive\n\ndata: {"error": {"type": "server_error"}}\n\n'],
    ['a text for an error', 'data: {"error": "the model is loading"}\n\n'],
    ['a number for a code', 'data: {"error": {"code": 503}}\n\n'],
  ])('has failed with an error event of %s', async (_what, text) => {
    const { opening, push } = opened()
    push(text)
    expect((await opening).kind).toBe('failed')
  })

  it.each([
    ['a code', { error: { code: 'rate_limit_exceeded' } }],
    ['a number', { error: { code: 429, message: 'no' } }],
    ['a type', { error: { type: 'too_many_requests', code: null } }],
    ['Azure’s words', { error: { code: '429', message: 'have exceeded the token rate limit' } }],
    ['high demand', { error: { message: 'The system is currently experiencing high demand' } }],
    ['a response', { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded' } } }],
  ])('is throttled by %s', async (_what, event) => {
    const { opening, push } = opened()
    push(eventOf(event))
    expect((await opening).kind).toBe('throttled')
  })

  it('holds back what comes before the first token, and hands it on with it', async () => {
    const { opening, push, clock } = opened()
    push(': hello\n\n')
    await clock.advance(10)
    push(eventOf(promptFilter))
    await clock.advance(10)
    const first = eventOf(token('hi'))
    push(first.slice(0, 20))
    await clock.advance(10)
    push(first.slice(20))
    expect(await bytesOf(opening)).toBe(`: hello\n\n${eventOf(promptFilter)}${first}`)
  })

  it('is handed on when its hold is over: a model that thinks has its stream opened', async () => {
    const { opening, push, clock, body } = opened()
    push(eventOf({ type: 'response.created' }))
    await clock.advance(0)
    let begun = false
    void opening.then(() => (begun = true))
    await clock.advance(PREAMBLE_HOLD_MS - 1)
    expect(begun).toBe(false)
    await clock.advance(1)
    expect(await bytesOf(opening)).toBe(eventOf({ type: 'response.created' }))
    push('later')
    expect((await body.next())?.toString()).toBe('later')
  })

  it.each([
    ['a page', '<html>\n\n'],
    ['a page behind a comment', ': x\n\n<html>\n\n'],
    ['JSON that was cut', 'data: {"choices":[{"de\n\n'],
    ['a text', 'data: "x"\n\n'],
    ['NULs', '\0\0\n\n'],
  ])('has failed with what is no event: %s', async (_what, text) => {
    const { opening, push } = opened()
    push(text)
    expect((await opening).kind).toBe('failed')
  })

  it('is empty where it ends before it said anything but comments, and rejects where it breaks', async () => {
    for (const text of ['', ': x\n\n', ': x\n\n: y']) {
      const ended = opened()
      if (text !== '') ended.push(text)
      ended.body.end()
      expect(await ended.opening).toEqual({ kind: 'empty' })
    }
    const broken = opened()
    broken.push(eventOf(promptFilter))
    broken.body.cancel('broken')
    await expect(broken.opening).rejects.toThrow('broken')
  })

  it('that ends before its first event is judged as far as it came', async () => {
    const page = opened()
    page.push('no event at all')
    page.body.end()
    expect((await page.opening).kind).toBe('failed')
    const short = opened()
    short.push('data: [DONE]')
    short.body.end()
    expect(await bytesOf(short.opening)).toBe('data: [DONE]')
    const made = opened()
    made.push(eventOf({ type: 'response.created' }))
    made.body.end()
    expect(await bytesOf(made.opening)).toBe(eventOf({ type: 'response.created' }))
  })

  it('of an event that is larger than its bound is handed on as it is', async () => {
    const endless = opened()
    endless.push('x'.repeat(256 * 1024))
    expect(await bytesOf(endless.opening)).toHaveLength(256 * 1024)
  })
})
