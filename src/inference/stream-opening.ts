import type { UpstreamBody } from '../azure/upstream-body'
import type { Clock } from '../base/clock'
import { isObject } from '../base/json-object'
import { cutEvents, dataOf, endOfEvent, hasData, isEvent, looksLikeJson } from './sse'

/** How a stream begins, as far as that decides whether another backend can still serve the call. */
export type StreamOpening =
  /** It answers: `bytes` is what has come so far. From here on it belongs to the client. */
  | { readonly kind: 'begun'; readonly bytes: Buffer }
  /** It ended before it said anything but comments. */
  | { readonly kind: 'empty' }
  /** It opened with an error that another backend may not have, or with what is no event. `text` is the error's own. */
  | { readonly kind: 'throttled'; readonly text: string }
  | { readonly kind: 'failed'; readonly code: string }

/**
 * What comes before the first token (Azure's chunk about the prompt's filtering, `response.created` and `response.in_progress`,
 * comments) is held back so long, for an error may follow that another backend heals. Refusals for capacity come at once; a
 * model that thinks for longer has its stream opened, so that clients see it live.
 */
export const PREAMBLE_HOLD_MS = 3_000
const PREAMBLE_BYTES_MAX = 256 * 1024

/** Reads until the stream's first token, an error in place of it, or the end of the hold. Rejects as `body.next` rejects. */
export async function readOpening(body: Pick<UpstreamBody, 'next' | 'readable'>, clock: Clock): Promise<StreamOpening> {
  let bytes: Buffer = (await body.next()) ?? Buffer.alloc(0)
  if (bytes.length === 0) return { kind: 'empty' }
  let judged = judgeEvents(bytes)
  if (judged !== 'preamble') return openingOf(judged, bytes)

  const hold = holdOf(clock)
  try {
    while (bytes.length < PREAMBLE_BYTES_MAX) {
      if ((await Promise.race([body.readable(), hold.over])) === 'over') break
      const piece = await body.next()
      if (!piece) return openingOfEnded(bytes)
      bytes = Buffer.concat([bytes, piece])
      judged = judgeEvents(bytes)
      if (judged !== 'preamble') return openingOf(judged, bytes)
    }
    return { kind: 'begun', bytes }
  } finally {
    hold.cancel()
  }
}

/** What stands behind the last empty line is an event too, as far as it is one. */
function openingOfEnded(bytes: Buffer): StreamOpening {
  const judged = judgeEvents(Buffer.concat([bytes, END_OF_EVENT]))
  if (judged !== 'preamble') return openingOf(judged, bytes)
  return hasData(bytes.toString('latin1')) ? { kind: 'begun', bytes } : { kind: 'empty' }
}

const END_OF_EVENT = Buffer.from('\n\n')

function holdOf(clock: Clock): { over: Promise<'over'>; cancel: () => void } {
  let cancel = () => {}
  const over = new Promise<'over'>((resolve) => {
    cancel = clock.after(PREAMBLE_HOLD_MS, () => resolve('over'))
  })
  return { over, cancel: () => cancel() }
}

type Judged = 'preamble' | 'answer' | Exclude<StreamOpening, { kind: 'begun' | 'empty' }>

const openingOf = (judged: Exclude<Judged, 'preamble'>, bytes: Buffer): StreamOpening =>
  judged === 'answer' ? { kind: 'begun', bytes } : judged

/** The first of the whole events that is no preamble decides. */
function judgeEvents(bytes: Buffer): Judged {
  const text = bytes.toString('latin1', 0, cutEvents(bytes))
  for (let start = 0; start < text.length;) {
    const end = endOfEvent(text, start)
    const judged = judgeEvent(text.slice(start, end), () => dataOf(bytes.subarray(start, end)))
    if (judged !== 'preamble') return judged
    start = end
  }
  return 'preamble'
}

const PREAMBLE_TYPE = /^response\.(?:created|queued|in_progress)$/
const NO_CHOICES = /"choices": ?\[\]/
/** Most events are told by these few characters, without being parsed. */
const MAY_BE_ERROR = /"error"|"response\.failed"/

function judgeEvent(event: string, parse: () => unknown): Judged {
  if (!hasData(event)) return isEvent(event) ? 'preamble' : { kind: 'failed', code: 'not_an_event' }
  if (!looksLikeJson(event)) return { kind: 'failed', code: 'not_json' }
  const type = /"type": ?"([a-z_.]{1,64})"/.exec(event)?.[1]
  if (MAY_BE_ERROR.test(event)) {
    const error = errorIn(parse())
    if (error) return judgeError(error)
  }
  if (type !== undefined && PREAMBLE_TYPE.test(type)) return 'preamble'
  return NO_CHOICES.test(event) && !/"usage": ?\{/.test(event) ? 'preamble' : 'answer'
}

interface StreamError {
  readonly code: string
  readonly text: string
}

/**
 * Three shapes: `{"error":{…}}` (chat), `{"type":"error",…}` and `{"type":"response.failed","response":{"error":{…}}}`
 * (Responses).
 */
function errorIn(data: unknown): StreamError | undefined {
  if (!isObject(data)) return undefined
  const { response } = data
  const nested = isObject(data['error']) ? data['error'] : isObject(response) ? response['error'] : undefined
  if (isObject(nested)) return readError(nested)
  if (typeof data['error'] === 'string') return { code: '', text: data['error'] }
  if (data['type'] === 'response.failed') return { code: '', text: '' }
  return data['type'] === 'error' ? readError({ ...data, type: undefined }) : undefined
}

function readError({ code, type, message }: Readonly<Record<string, unknown>>): StreamError {
  const said = [code, type].filter((word) => typeof word === 'string' || typeof word === 'number').map(String)
  return { code: (said[0] ?? '').slice(0, 64), text: [...said, typeof message === 'string' ? message : ''].join(' ') }
}

const THROTTLED = /rate.?limit|\b429\b|too.?many.?requests|high demand|exceeded the (?:token|call|provisioned)/i
/** A fault of the backend. Anything else (a filter, a prompt or an image that it cannot take) is the call's own, and goes to the client. */
const FAULT = /server|internal|unavailable|overload|time.?d?.?out|^5\d\d$|^408$/i

function judgeError({ code, text }: StreamError): Judged {
  if (THROTTLED.test(text)) return { kind: 'throttled', text }
  return code === '' || FAULT.test(code) ? { kind: 'failed', code } : 'answer'
}
