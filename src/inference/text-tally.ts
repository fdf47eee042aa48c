import { setImmediate as nextTurn } from 'node:timers/promises'
import { closingQuote } from './json-characters'
import type { EventShape } from './operation'

/**
 * Collects the text that a stream has generated so far, for the one case in which it breaks off and the provider
 * reports no usage. It copies the text out of the events (keeping the events would pin their memory).
 */
export class TextTally {
  readonly #place: Place
  #bytes = Buffer.alloc(0)
  #length = 0
  #beyond = 0

  constructor(events: EventShape) {
    this.#place = places[events]
  }

  /** Adds the generated text of some whole events. Takes a Latin-1 view of the bytes. */
  add(events: string): void {
    const { key, usual } = this.#place
    // Put together first: a write for each event would cost more than finding its text.
    let text = ''
    for (let at = events.indexOf(key); at >= 0; at = events.indexOf(key, at)) {
      at += key.length
      if (usual !== undefined && events.startsWith(usual, at)) {
        const start = at + usual.length
        at = closingQuote(events, start)
        text += events.slice(start, at)
        continue
      }
      const line = events.indexOf('\n', at)
      text += this.#textOf(events.slice(at, line < 0 ? events.length : line))
    }
    if (text !== '') this.#append(text)
  }

  /** Tokens of the collected text. The tokenizer's tables are loaded here, since few processes ever need them. */
  async tokens(): Promise<number> {
    if (this.#length === 0) return 0
    const text = unescapeJson(this.#bytes.toString('utf8', 0, this.#length))
    const { countTokens } = await loadTokenizer()
    let tokens = Math.ceil(this.#beyond / BYTES_PER_TOKEN)
    for (let at = 0; at < text.length; at += PIECE_CHARACTERS) {
      if (at > 0 && at % TURN_CHARACTERS === 0) await nextTurn()
      tokens += countTokens(text.slice(at, at + PIECE_CHARACTERS), { allowedSpecial: 'all' })
    }
    return tokens
  }

  #textOf(delta: string): string {
    const text = this.#place.text.exec(delta)
    if (!text) return ''
    const start = text.index + text[0].length
    return delta.slice(start, closingQuote(delta, start))
  }

  #append(text: string): void {
    const room = Math.min(text.length, TEXT_BYTES_MAX - this.#length)
    this.#beyond += text.length - room
    if (room === 0) return
    if (this.#length + room > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(TEXT_BYTES_MAX, Math.max(1_024, 2 * (this.#length + room))))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    this.#length += this.#bytes.write(text, this.#length, room, 'latin1')
  }
}

/** Its tables hold up the process while they are read, for a good part of a second on one that is busy. */
export const loadTokenizer = () => import('gpt-tokenizer/encoding/o200k_base')

/** Beyond this the rest is counted by its length. */
const TEXT_BYTES_MAX = 256 * 1024
const BYTES_PER_TOKEN = 4
/**
 * The tokenizer's time grows with the square of a word's length, and a word may be all of a text (one letter over and over, a page
 * of Chinese): 64 KB took 11 s. Counted in pieces it takes 0.1 s at most, and each cut adds a token at most.
 */
const PIECE_CHARACTERS = 1_024
/** Between two pauses for the other calls of this process; some 10 ms. */
const TURN_CHARACTERS = 16 * 1_024

/** The text in an event: the string that `text` finds behind `key`. One event brings text of one kind. */
interface Place {
  readonly key: string
  /** What stands behind the key in nearly all events, up to the text: found without `text`. */
  readonly usual?: string
  readonly text: RegExp
}

const places: Readonly<Record<EventShape, Place>> = {
  chat: { key: '"delta":', usual: '{"content":"', text: /"(?:content|arguments|refusal)": ?"/ },
  completions: { key: '"choices":', text: /"text": ?"/ },
  // The type ends with it; the event's name before it has no quotes.
  responses: { key: '.delta"', text: /"delta": ?"/ },
  transcript: { key: '"transcript.text.delta"', text: /"delta": ?"/ },
  // What it has drawn so far is billed by its own count or not at all.
  images: { key: '"image_generation.text"', text: /"text": ?"/ },
}

/** A piece that was cut inside an escape stays as it is: it is only counted. */
function unescapeJson(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}
