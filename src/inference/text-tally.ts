/**
 * Collects the text that a stream has generated so far, for the one case in which it breaks off and the provider
 * reports no usage. It copies the text's bytes out of the events (keeping the events would pin their memory).
 */
export class TextTally {
  #bytes = Buffer.alloc(0)
  #length = 0
  #beyond = 0

  /** Adds the generated text of some whole events. */
  add(events: Buffer): void {
    for (const key of TEXT_KEYS) {
      for (let at = events.indexOf(key); at >= 0; at = events.indexOf(key, at)) {
        at += key.length
        while (events[at] === SPACE) at += 1
        if (events[at] !== QUOTE) continue
        const end = endOfText(events, at + 1)
        this.#append(events.subarray(at + 1, end))
        at = end
      }
    }
  }

  /** Tokens of the collected text. The tokenizer's tables are loaded here, since few processes ever need them. */
  async tokens(): Promise<number> {
    if (this.#length === 0) return 0
    const text = unescapeJson(this.#bytes.toString('utf8', 0, this.#length))
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
    return countTokens(text, { allowedSpecial: 'all' }) + Math.ceil(this.#beyond / BYTES_PER_TOKEN)
  }

  #append(text: Buffer): void {
    const room = Math.min(text.length, TEXT_BYTES_MAX - this.#length)
    this.#beyond += text.length - room
    if (this.#length + room > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(TEXT_BYTES_MAX, Math.max(1_024, 2 * (this.#length + room))))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    text.copy(this.#bytes, this.#length, 0, room)
    this.#length += room
  }
}

/** Beyond this the rest is counted by its length. */
const TEXT_BYTES_MAX = 256 * 1024
const BYTES_PER_TOKEN = 4
const TEXT_KEYS = [Buffer.from('"content":'), Buffer.from('"arguments":'), Buffer.from('"refusal":')]
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

function endOfText(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(QUOTE, start); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return at
  }
  return bytes.length
}

/** A piece that was cut inside an escape stays as it is: it is only counted. */
function unescapeJson(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}
