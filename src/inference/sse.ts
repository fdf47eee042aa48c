import { UpstreamError } from '../azure/upstream-error'
import { CLOSE_BRACE, CLOSE_BRACKET, OPEN_BRACE, OPEN_BRACKET, SPACE } from './json-characters'

/**
 * Server-sent events as bytes (WHATWG HTML, 9.2.6). An event ends with an empty line. Behind `withLineFeeds` lines end in LF alone,
 * and everything here relies on it.
 */
const LF_LF = Buffer.from('\n\n')
const LF = 0x0a
const CR = 0x0d
const DATA = 'data:'
const NO_BYTES: Buffer = Buffer.alloc(0)
/** Every line of an event begins so; what does not is a page, or noise, and goes to no client. */
const FIELD = /^(?:data|event|id|retry)?:/

/** A body that is read piece by piece. */
interface Pieces {
  next(): Promise<Buffer | undefined>
  readable(): Promise<void>
  cancel(why: string): void
}

/** The same body with its line ends (CRLF, CR or LF, wherever pieces are cut) as LF. JSON has no bare CR: nothing else is changed. */
export function withLineFeeds(body: Pieces): Pieces {
  const ends = new LineEnds()
  return {
    next: async () => {
      const piece = await body.next()
      return piece && ends.toLineFeeds(piece)
    },
    readable: () => body.readable(),
    cancel: (why) => body.cancel(why),
  }
}

class LineEnds {
  #endedInReturn = false

  toLineFeeds(piece: Buffer): Buffer {
    if (piece.length === 0) return piece
    // Of a CRLF that was cut in two the CR has gone on as the line's end.
    const from = this.#endedInReturn && piece[0] === LF ? 1 : 0
    this.#endedInReturn = piece[piece.length - 1] === CR
    if (!piece.includes(CR)) return piece.subarray(from)
    return Buffer.from(piece.toString('latin1', from).replaceAll(/\r\n?/g, '\n'), 'latin1')
  }
}

/**
 * Chunks of the network and events do not fall together, so what is behind the last whole event is kept for the chunks that
 * follow. They are joined once, when its end has come: an event with an image comes in thousands of chunks.
 */
export class WholeEvents {
  readonly #bytesMax: number
  #pieces: Buffer[] = []
  #bytes = 0

  /** `bytesMax` of one event: more without an end is no event stream. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The events that are whole with this chunk; none of its bytes are copied where it holds nothing else. Throws beyond the bound. */
  take(chunk: Buffer): Buffer {
    if (chunk.length === 0) return NO_BYTES
    const end = cutEvents(chunk) || (this.#endsLine() && chunk[0] === LF ? 1 : 0)
    if (end === 0) {
      this.#hold(chunk)
      return NO_BYTES
    }
    const last = end === chunk.length ? chunk : chunk.subarray(0, end)
    const whole = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last], this.#bytes + end)
    this.#pieces = []
    this.#bytes = 0
    if (end < chunk.length) this.#hold(chunk.subarray(end))
    return whole
  }

  /** What is left, as an event: some servers leave out the empty line behind the last one. */
  finish(): Buffer {
    if (this.#bytes === 0) return NO_BYTES
    const rest = Buffer.concat([...this.#pieces, LF_LF])
    this.#pieces = []
    this.#bytes = 0
    return rest
  }

  #hold(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    if (this.#bytes > this.#bytesMax) throw new UpstreamError('broken', 'the answer is not an event stream')
  }

  #endsLine(): boolean {
    const last = this.#pieces.at(-1)
    return last !== undefined && last[last.length - 1] === LF
  }
}

/** The index behind the last whole event, or 0. */
export function cutEvents(bytes: Buffer): number {
  const { length } = bytes
  if (bytes[length - 1] === LF && bytes[length - 2] === LF) return length
  const at = bytes.lastIndexOf(LF_LF)
  return at < 0 ? 0 : at + LF_LF.length
}

/** The index behind the event that starts at `start`, in a Latin-1 view of the bytes. */
export function endOfEvent(text: string, start: number): number {
  const at = text.indexOf('\n\n', start)
  return at < 0 ? text.length : at + LF_LF.length
}

/** Whether it begins as an event does. Empty lines are events that say nothing. */
export const isEvent = (event: string) => FIELD.test(event) || event.trim() === ''

/** Whether an event has data; those that have none are comments and the like, and pass unseen. */
export const hasData = (event: string) => event.startsWith(DATA) || event.includes(`\n${DATA}`)

/** The JSON of an event's data, or undefined for comments, `[DONE]` and anything that is not JSON. */
export function dataOf(event: Buffer): unknown {
  const data = dataText(event.toString('utf8'))
  if (!data.startsWith('{')) return undefined
  try {
    return JSON.parse(data) as unknown
  } catch {
    return undefined
  }
}

function dataText(event: string): string {
  const line = event.indexOf('\n')
  // Nearly all are one line.
  if (event.startsWith(DATA) && (line < 0 || line >= event.length - LF_LF.length)) {
    return event.slice(DATA.length, line < 0 ? undefined : line).trimStart()
  }
  return event
    .split('\n')
    .filter((line) => line.startsWith(DATA))
    .map((line) => line.slice(DATA.length).trimStart())
    .join('\n')
}

/**
 * Whether an event's data can be what such streams carry: an object of JSON, or `[DONE]`. Told by its first and last character, and by
 * what JSON never has: parsing all would cost more than relaying.
 */
export function looksLikeJson(event: string): boolean {
  if (event.includes('\0')) return false
  const at = event.startsWith(DATA) ? 0 : event.indexOf(`\n${DATA}`) + 1
  return hasBrackets(event, at + DATA.length) || hasBrackets(dataText(event), 0)
}

function hasBrackets(text: string, from: number): boolean {
  let first = from
  while (text.charCodeAt(first) === SPACE) first += 1
  let last = text.length - 1
  while (last > first && text.charCodeAt(last) <= SPACE) last -= 1
  const [open, close] = [text.charCodeAt(first), text.charCodeAt(last)]
  return (open === OPEN_BRACE && close === CLOSE_BRACE) || (open === OPEN_BRACKET && close === CLOSE_BRACKET)
}
