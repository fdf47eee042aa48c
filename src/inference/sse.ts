/**
 * Server-sent events as bytes. An event ends with an empty line; lines may end in LF or CRLF (WHATWG HTML, 9.2.6).
 * Chunks of the network and events do not fall together, so what is behind the last whole event is kept for the next chunk.
 */
const LF_LF = Buffer.from('\n\n')
const CRLF_CRLF = Buffer.from('\r\n\r\n')
const LF = 0x0a
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d
const SPACE = 0x20
const ERROR_KEY = Buffer.from('"error"')
const CHOICES_KEY = Buffer.from('"choices"')

/** The index behind the last whole event, or 0. */
export function cutEvents(bytes: Buffer): number {
  const { length } = bytes
  if (bytes[length - 1] === LF && bytes[length - 2] === LF) return length
  const lf = bytes.lastIndexOf(LF_LF)
  const crlf = bytes.lastIndexOf(CRLF_CRLF)
  return Math.max(lf < 0 ? 0 : lf + LF_LF.length, crlf < 0 ? 0 : crlf + CRLF_CRLF.length)
}

/** The index behind the event that starts at `start`, in a Latin-1 view of the bytes. */
export function endOfEvent(text: string, start: number): number {
  const lf = text.indexOf('\n\n', start)
  const limit = lf < 0 ? text.length : lf
  // JSON has no bare carriage return, so an LF stream is recognised by one quick search.
  const cr = text.indexOf('\r', start)
  if (cr >= 0 && cr < limit) {
    const crlf = text.indexOf('\r\n\r\n', cr)
    if (crlf >= 0 && crlf < limit) return crlf + CRLF_CRLF.length
  }
  return lf < 0 ? text.length : lf + LF_LF.length
}

/** The JSON of an event's data, or undefined for comments, `[DONE]` and anything that is not JSON. */
export function dataOf(event: Buffer): unknown {
  const data = event
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trimStart())
    .join('\n')
  if (!data.startsWith('{')) return undefined
  try {
    return JSON.parse(data) as unknown
  } catch {
    return undefined
  }
}

/** Told by its last character alone: a data line of these streams ends with a brace. Parsing all would cost more than relaying. */
export function endsLikeJson(event: string): boolean {
  let last = event.length - 1
  while (last > 0 && event.charCodeAt(last) <= SPACE) last -= 1
  const end = event.charCodeAt(last)
  return end === CLOSE_BRACE || end === CLOSE_BRACKET
}

/** Whether a stream opens with an error event in place of an answer. */
export function startsWithError(first: Buffer): boolean {
  const key = first.indexOf(ERROR_KEY)
  if (key < 0) return false
  const choices = first.indexOf(CHOICES_KEY)
  if (choices >= 0 && choices < key) return false
  const data = dataOf(first.subarray(0, endOfEvent(first.toString('latin1'), 0)))
  return typeof data === 'object' && data !== null && 'error' in data && Boolean(data.error)
}
