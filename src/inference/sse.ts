/**
 * Server-sent events as bytes. An event ends with an empty line; lines may end in LF or CRLF (WHATWG HTML, 9.2.6).
 * Chunks of the network and events do not fall together, so what is behind the last whole event is kept for the next chunk.
 */
export const DONE = Buffer.from('[DONE]')
const LF_LF = Buffer.from('\n\n')
const CRLF_CRLF = Buffer.from('\r\n\r\n')
const ERROR_KEY = Buffer.from('"error"')
/** Of `data:`; the other fields of an event and comments start otherwise. */
const LETTER_D = 0x64
const SPACE = 0x20
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d
const CHOICES_KEY = Buffer.from('"choices"')

/** The index behind the last whole event, or 0. */
export function endOfLastEvent(bytes: Buffer): number {
  const lf = bytes.lastIndexOf(LF_LF)
  const crlf = bytes.lastIndexOf(CRLF_CRLF)
  return Math.max(lf < 0 ? 0 : lf + LF_LF.length, crlf < 0 ? 0 : crlf + CRLF_CRLF.length)
}

/**
 * The index behind the last event before the first one whose data cannot be JSON, told by its last character alone: a
 * data line of these streams ends with a brace, or is `[DONE]`. Parsing every event would cost more than relaying it.
 */
export function endOfWellFormed(events: Buffer): number {
  let start = 0
  while (start < events.length) {
    const end = endOfEvent(events, start)
    let last = end - 1
    while (last > start && (events[last] ?? 0) <= SPACE) last -= 1
    if (events[start] === LETTER_D && events[last] !== CLOSE_BRACE && events[last] !== CLOSE_BRACKET) return start
    start = end
  }
  return start
}

/** Cuts whole events apart; `bytes` must end with one. */
export function splitEvents(bytes: Buffer): Buffer[] {
  const events: Buffer[] = []
  let start = 0
  while (start < bytes.length) {
    const end = endOfEvent(bytes, start)
    events.push(bytes.subarray(start, end))
    start = end
  }
  return events
}

function endOfEvent(bytes: Buffer, start: number): number {
  const lf = bytes.indexOf(LF_LF, start)
  // Only up to there: looking through all the rest for what an LF stream does not have would make long chunks slow.
  const crlf = bytes.subarray(start, lf < 0 ? bytes.length : lf).indexOf(CRLF_CRLF)
  if (crlf >= 0) return start + crlf + CRLF_CRLF.length
  return lf < 0 ? bytes.length : lf + LF_LF.length
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

/** Whether a stream opens with an error event in place of an answer. */
export function startsWithError(first: Buffer): boolean {
  if (first.indexOf(ERROR_KEY) < 0) return false
  const choices = first.indexOf(CHOICES_KEY)
  if (choices >= 0 && choices < first.indexOf(ERROR_KEY)) return false
  const end = endOfLastEvent(first)
  const data = dataOf(splitEvents(first.subarray(0, end || first.length))[0] ?? first)
  return typeof data === 'object' && data !== null && 'error' in data && Boolean(data.error)
}
