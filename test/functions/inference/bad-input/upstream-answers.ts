import type { OperationName } from '../../../../src/inference/operation'
import { after, answerOf, bytes, endless, ofStatus, streamOf, type RawAnswer } from './raw-backend'

/** An answer that no model gives, and what the client gets in its place. */
export interface BadAnswer {
  readonly what: string
  readonly operation: OperationName
  readonly stream?: true
  /** More fields of a form. */
  readonly fields?: Readonly<Record<string, string>>
  readonly answer: RawAnswer
  readonly gets: Gets
}

export type Gets =
  /** An error in place of an answer; nothing was used. */
  | { readonly kind: 'refused'; readonly status: 502; readonly code: 'upstream_failed' }
  /** The same of what may have been paid for: the prompt is metered. */
  | { readonly kind: 'refused-late'; readonly status: 502; readonly code: 'upstream_failed' }
  /** The provider's own refusal, in OpenAI's shape. */
  | { readonly kind: 'rejected'; readonly status: number; readonly code: string }
  /** What had come, and an event that tells the end. */
  | { readonly kind: 'broken-off' }
  /** Bytes have no place for an error: a connection that is cut tells it. */
  | { readonly kind: 'cut-off' }
  /** An answer. `tokens` as the provider reports them; undefined where its report cannot be true, and ours counts. */
  | {
      readonly kind: 'answered'
      readonly text: string | RegExp
      readonly tokens: readonly [number, number] | undefined
    }

/** Stands where it could leak. */
export const LEAK = 'gateway-17.internal.example'

const failed = { kind: 'refused', status: 502, code: 'upstream_failed' } as const
const brokenOff = { kind: 'broken-off' } as const
const JSON_TYPE = 'application/json'

const page = `<!doctype html>\n\n<html><title>502 ${LEAK}</title>\n\n<p>{"error":{}}</p></html>`
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
const message = { role: 'assistant', content: 'fine' }
const completionWith = (more: object) =>
  JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], ...more })
const completion = completionWith({ usage })
const answered = { kind: 'answered', text: completion, tokens: [5, 2] } as const

const event = (data: object | string) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
const token = (content: string) => event({ choices: [{ index: 0, delta: { content } }] })
const finish = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
const usageEvent = event({ choices: [], usage })
const done = event('[DONE]')
const whole = token('fine') + finish + usageEvent + done
const shown = token('fine') + finish + done

const MB = 1024 * 1024
/** Far less than it tells: what the network holds on both sides is some MB. */
const TAKEN_BYTES_MAX = 24 * MB
const FLOOD_BYTES = 100 * MB

/** Bytes that an endless answer was rid of, by what it is. */
export const taken = new Map<string, number>()
export const takenBytesMax = TAKEN_BYTES_MAX
const flood = (what: string, piece: Buffer) => endless(piece, FLOOD_BYTES, (count) => taken.set(what, count))

const ofChat = (what: string, answer: RawAnswer, gets: Gets = failed): BadAnswer => ({
  what,
  operation: 'chat.completions',
  answer,
  gets,
})
const ofStream = (what: string, answer: RawAnswer, gets: Gets): BadAnswer => ({
  ...ofChat(what, answer, gets),
  stream: true,
})

const head = (more: string) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}\r\n`
const length = Buffer.byteLength(completion)

const statusLines: readonly BadAnswer[] = [
  ofChat('nothing', bytes()),
  ofChat('noise', bytes(`${LEAK}\r\n\r\n`)),
  ofChat('a status that is no number', ofStatus('abc OK', JSON_TYPE, completion)),
  ofChat('a status of 999', ofStatus('999 What', JSON_TYPE, completion)),
  ofChat('a status of 99', ofStatus('099 What', JSON_TYPE, completion)),
  ofChat('another protocol', bytes(`FTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}`)),
  ofChat('a change of protocol', bytes('HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n')),
  ofChat('a redirection', ofStatus('302 Found', 'text/html', page, `location: https://${LEAK}/login\r\n`)),
  ofChat('no content', bytes('HTTP/1.1 204 No Content\r\n\r\n')),
  ofChat(
    'a hundred interim answers before its own',
    bytes('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100), answerOf('200 OK', JSON_TYPE, completion)),
    answered,
  ),
  ofChat('a refusal that is a page', ofStatus('400 Bad Request', 'text/html', page), {
    kind: 'rejected',
    status: 400,
    code: 'invalid_request',
  }),
  ofChat('a refusal without a body', ofStatus('422 No', 'text/plain', ''), {
    kind: 'rejected',
    status: 422,
    code: 'invalid_request',
  }),
  ofChat(
    'a throttle that is a page, and waits that are none',
    ofStatus('500 No', 'text/html', page, 'retry-after: x\r\n'),
  ),
]

const heads: readonly BadAnswer[] = [
  ofChat('headers of 1 MB', bytes(head(`x-more: ${'x'.repeat(MB)}\r\ncontent-length: ${length}\r\n`), completion)),
  ofChat('a hundred thousand headers', bytes(head(`x: y\r\n`.repeat(100_000)), completion)),
  ofChat(
    'a header with a control character',
    bytes(head(`x-ms-region: a\u0000b\r\ncontent-length: ${length}\r\n`), completion),
  ),
  ofChat(
    'a region in Latin-1',
    bytes(Buffer.from(head(`x-ms-region: \u00e9\r\ncontent-length: ${length}\r\n`), 'latin1'), completion),
    answered,
  ),
  ofChat('a type that is no JSON’s', ofStatus('200 OK', 'text/html', completion), answered),
  ofChat('two lengths', bytes(head(`content-length: ${length}\r\ncontent-length: 7\r\n`), completion)),
  ofChat('a length and chunks', bytes(head(`content-length: ${length}\r\ntransfer-encoding: chunked\r\n`), completion)),
  ofChat('a length below zero', bytes(head('content-length: -1\r\n'), completion)),
  ofChat('a length that is too large', bytes(head(`content-length: ${length + 10}\r\n`), completion)),
  ofChat('a length that is too small', bytes(head(`content-length: ${length - 10}\r\n`), completion)),
  ofChat('a chunk without a length', bytes(head('transfer-encoding: chunked\r\n'), `zz\r\n${completion}\r\n0\r\n\r\n`)),
  ofChat(
    'chunks without an end',
    bytes(head('transfer-encoding: chunked\r\n'), `${length.toString(16)}\r\n${completion}\r\n`),
  ),
  ofChat('no length and no type', bytes(`HTTP/1.1 200 OK\r\n\r\n${completion}`), answered),
  ofChat('more bytes than it says', bytes(answerOf('200 OK', JSON_TYPE, completion), page), answered),
]

const bodies: readonly BadAnswer[] = [
  ofChat('nothing', ofStatus('200 OK', JSON_TYPE, '')),
  ofChat('a page', ofStatus('200 OK', 'text/html', page)),
  ofChat('a page that says it is JSON', ofStatus('200 OK', JSON_TYPE, page)),
  ofChat('JSON that was cut', ofStatus('200 OK', JSON_TYPE, completion.slice(0, -3))),
  ofChat('JSON that is broken in the middle', ofStatus('200 OK', JSON_TYPE, completion.replace('"choices"', LEAK))),
  ofChat('JSON of 1 MB that was cut', ofStatus('200 OK', JSON_TYPE, `{"choices":["${'x'.repeat(MB)}`)),
  ofChat('an array', ofStatus('200 OK', JSON_TYPE, '[]')),
  ofChat('null', ofStatus('200 OK', JSON_TYPE, 'null')),
  ofChat('compressed bytes', ofStatus('200 OK', JSON_TYPE, '\u001f\u008b\u0008', 'content-encoding: gzip\r\n')),
  ofChat(
    'a usage that cannot be',
    ofStatus('200 OK', JSON_TYPE, completionWith({ usage: { prompt_tokens: 9e15, completion_tokens: 9e15 } })),
    {
      kind: 'answered',
      text: /fine/,
      tokens: undefined,
    },
  ),
  ofChat(
    'a usage below zero',
    ofStatus('200 OK', JSON_TYPE, completionWith({ usage: { prompt_tokens: -5, completion_tokens: -5 } })),
    {
      kind: 'answered',
      text: /fine/,
      tokens: undefined,
    },
  ),
  ofChat('a usage that is no object', ofStatus('200 OK', JSON_TYPE, completionWith({ usage: [[[]]] })), {
    kind: 'answered',
    text: /fine/,
    tokens: undefined,
  }),
]

const streams: readonly BadAnswer[] = [
  ofStream('no event', streamOf(), failed),
  ofStream('comments alone', streamOf(`: ${LEAK}\n\n`.repeat(10)), failed),
  ofStream('a page', streamOf(page), failed),
  ofStream('a page behind a token', streamOf(token('fine'), page), brokenOff),
  ofStream('broken JSON at once', streamOf(event('{"choices":[{"de'), whole), failed),
  ofStream('broken JSON in the middle', streamOf(token('fine'), event('{"choices":[{"de'), whole), brokenOff),
  ofStream('a text for JSON in the middle', streamOf(token('fine'), event(`"${LEAK}"`), whole), brokenOff),
  ofStream(
    'a NUL in the middle',
    streamOf(token('fine'), event('{"choices":[{"delta":{"content":"\0"}}]}'), whole),
    brokenOff,
  ),
  ofStream('NULs alone', streamOf(Buffer.alloc(1_000)), failed),
  ofStream(
    'an event without an end',
    after(streamOf(token('fine'), 'data: "'), flood('event', Buffer.alloc(MB, 'x'))),
    brokenOff,
  ),
  ofStream(
    'a flood of comments',
    after(streamOf(token('fine')), flood('comments', Buffer.alloc(MB, `: ${'x'.repeat(61)}\n`))),
    brokenOff,
  ),
  ofStream(
    'a reset behind a token',
    (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${token('fine')}`, () =>
        socket.resetAndDestroy(),
      )
    },
    brokenOff,
  ),
  ofStream('an end behind a token', streamOf(token('fine')), brokenOff),
  ofStream(
    'a chunk that is none behind a token',
    bytes(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
      `${Buffer.byteLength(token('fine')).toString(16)}\r\n${token('fine')}\r\n${LEAK}\r\n`,
    ),
    brokenOff,
  ),
  ofStream('no [DONE] behind a finish', streamOf(token('fine') + finish + usageEvent), {
    kind: 'answered',
    text: token('fine') + finish,
    tokens: [5, 2],
  }),
  ofStream('two [DONE]', streamOf(whole + done), { kind: 'answered', text: shown, tokens: [5, 2] }),
  ofStream('events behind [DONE]', streamOf(whole, token(LEAK), page), {
    kind: 'answered',
    text: shown,
    tokens: [5, 2],
  }),
  ofStream('a flood behind [DONE]', after(streamOf(whole), flood('behind', Buffer.alloc(MB, 'x'))), {
    kind: 'answered',
    text: shown,
    tokens: [5, 2],
  }),
  ofStream('lines that end in CRLF', streamOf(whole.replaceAll('\n', '\r\n')), {
    kind: 'answered',
    text: shown,
    tokens: [5, 2],
  }),
  ofStream('lines that end in CR', streamOf(whole.replaceAll('\n', '\r')), {
    kind: 'answered',
    text: shown,
    tokens: [5, 2],
  }),
  ofStream('lines that end in every way', streamOf(whole.replaceAll('\n\n', '\n\r\n')), {
    kind: 'answered',
    text: shown,
    tokens: [5, 2],
  }),
  ofStream(
    'comments and ids before its data',
    streamOf(`: x\n${token('fine')}id: 1\n${finish}retry: 1\n${usageEvent}${done}`),
    {
      kind: 'answered',
      text: `: x\n${token('fine')}id: 1\n${finish}${done}`,
      tokens: [5, 2],
    },
  ),
]

const made = (status: string, more: object = {}) => ({
  id: 'resp_of_the_account',
  object: 'response',
  created_at: 5,
  status,
  model: 'm',
  output: [],
  usage: null,
  ...more,
})
let number = 0
const responseEvent = (type: string, fields: object) =>
  `event: ${type}\n${event({ type, sequence_number: number++, ...fields })}`
const created = responseEvent('response.created', { response: made('in_progress') })
const delta = responseEvent('response.output_text.delta', { item_id: 'm', delta: 'fine' })
const completed = responseEvent('response.completed', {
  response: made('completed', { usage: { input_tokens: 5, output_tokens: 2, total_tokens: 7 } }),
})
const ofResponse = (what: string, answer: RawAnswer, gets: Gets, stream = true): BadAnswer => ({
  what,
  operation: 'responses',
  answer,
  gets,
  ...(stream ? { stream } : {}),
})

const responses: readonly BadAnswer[] = [
  ofResponse(
    'JSON that is no response',
    ofStatus('200 OK', JSON_TYPE, completion),
    { ...failed, kind: 'refused-late' },
    false,
  ),
  ofResponse('a page', ofStatus('200 OK', 'text/html', page), failed, false),
  ofResponse('a page as events', streamOf(page), failed),
  ofResponse('broken JSON in the middle', streamOf(created, delta, event('{"type":"respon'), completed), brokenOff),
  ofResponse('a NUL in the middle', streamOf(created, delta, event('{"\0":1}'), completed), brokenOff),
  ofResponse('an end before its own', streamOf(created, delta), brokenOff),
  ofResponse('events behind its end', streamOf(created, delta, completed, token(LEAK), page), {
    kind: 'answered',
    text: /"type":"response.completed"[^\n]*\n\n$/,
    tokens: [5, 2],
  }),
]

const ofSpeech = (what: string, answer: RawAnswer, gets: Gets): BadAnswer => ({
  what,
  operation: 'audio.speech',
  answer,
  gets,
})
const transcript = JSON.stringify({ text: 'fine', usage: { type: 'tokens', input_tokens: 5, output_tokens: 2 } })
const ofSound = (what: string, answer: RawAnswer, gets: Gets, fields = {}): BadAnswer => ({
  what,
  operation: 'audio.transcriptions',
  fields,
  answer,
  gets,
})

const sound: readonly BadAnswer[] = [
  ofSpeech('a page', ofStatus('200 OK', 'text/html', page), failed),
  ofSpeech('JSON', ofStatus('200 OK', JSON_TYPE, `{"message":"${LEAK}"}`), failed),
  ofSpeech('nothing', ofStatus('200 OK', 'audio/mpeg', ''), failed),
  ofSpeech(
    'sound that breaks off',
    (socket) =>
      new Promise((resolve) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: ${4 * MB}\r\n\r\n`)
        socket.write(Buffer.alloc(3 * MB), () => resolve())
      }),
    { kind: 'cut-off' },
  ),
  ofSound('a page', ofStatus('200 OK', 'text/html', page), failed),
  ofSound('a page in place of text', ofStatus('200 OK', 'text/html', page), failed, { response_format: 'text' }),
  ofSound('JSON that was cut', ofStatus('200 OK', JSON_TYPE, transcript.slice(0, -3)), failed),
  ofSound('a sound without an end', ofStatus('200 OK', JSON_TYPE, `{"duration":${'9'.repeat(300)},"text":"fine"}`), {
    kind: 'answered',
    text: /fine/,
    tokens: undefined,
  }),
  ofSound(
    'text, as it was asked for',
    ofStatus('200 OK', 'text/plain', 'fine'),
    { kind: 'answered', text: 'fine', tokens: undefined },
    { response_format: 'text' },
  ),
]

/** What an account answers to what is asked of a response that it holds. */
export interface BadHeldAnswer {
  readonly what: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Behind the response's own path. */
  readonly asked: string
  readonly answer: RawAnswer
  readonly status: number
  readonly code: string
}

const held = (method: BadHeldAnswer['method'], asked: string) => (what: string, answer: RawAnswer) => {
  return { what, method, asked, answer, status: 502, code: 'upstream_failed' }
}
const retrieved = held('GET', '')
const listed = held('GET', '/input_items?after=x')
const followed = held('GET', '?stream=true')

export const badHeldAnswers: readonly BadHeldAnswer[] = [
  retrieved('nothing', bytes()),
  retrieved('a page', ofStatus('200 OK', 'text/html', page)),
  retrieved('a redirection', ofStatus('302 Found', 'text/html', page, `location: https://${LEAK}/\r\n`)),
  retrieved('JSON that was cut', ofStatus('200 OK', JSON_TYPE, '{"id":"')),
  retrieved('a list', ofStatus('200 OK', JSON_TYPE, '[]')),
  retrieved('headers of 1 MB', bytes(head(`x-more: ${'x'.repeat(MB)}\r\n`))),
  { ...retrieved('a page', ofStatus('400 No', 'text/html', page)), status: 400, code: 'invalid_request' },
  { ...retrieved('a page', ofStatus('404 No', 'text/html', page)), status: 404, code: 'not_found' },
  { ...retrieved('a page', ofStatus('403 No', 'text/html', page)), code: 'upstream_rejected_us' },
  held('POST', '/cancel')('a page', ofStatus('200 OK', 'text/html', page)),
  held('DELETE', '')('a page', ofStatus('200 OK', 'text/html', page)),
  held('DELETE', '')('a redirection', ofStatus('302 Found', 'text/html', page)),
  held('GET', '/input_items')('a page', ofStatus('200 OK', 'text/html', page)),
  listed('no list', ofStatus('200 OK', JSON_TYPE, '{"data":7}')),
  listed('JSON of 1 MB that is none', ofStatus('200 OK', JSON_TYPE, `{${LEAK.repeat(40_000)}}`)),
  followed('a page', ofStatus('200 OK', 'text/html', page)),
  followed('JSON', ofStatus('200 OK', JSON_TYPE, '{}')),
]

/** Events of a response that is followed, of which the first is right. */
export const badHeldEvents: readonly { readonly what: string; readonly answer: RawAnswer }[] = [
  { what: 'broken JSON in the middle', answer: streamOf(delta, event('{"type":"respon'), completed) },
  { what: 'a page behind it', answer: streamOf(delta, page) },
  { what: 'a page at its end', answer: streamOf(delta, page.replaceAll('\n', '')) },
  { what: 'a NUL', answer: streamOf(delta, event('{"\0":1}')) },
]

/** As an account answers that keeps what it made. */
export const heldResponse = ofStatus(
  '200 OK',
  JSON_TYPE,
  JSON.stringify(made('completed', { usage: { input_tokens: 1, output_tokens: 1 } })),
)

export const badAnswers: readonly BadAnswer[] = [
  ...statusLines,
  ...heads,
  ...bodies,
  ...streams,
  ...responses,
  ...sound,
]
