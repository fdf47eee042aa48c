import { GenerationalCache } from './generational-cache'
import { hashText } from './random'
import { readHints, type Hints } from './hints'

export type EncodingName = 'o200k_base' | 'cl100k_base'

/** What one text of a prompt comes to. Kept per text, because benchmarks and conversations send the same texts again. */
export interface ReadText {
  readonly tokens: Uint32Array
  readonly hash: number
  readonly hints: Hints | undefined
}

export interface Tokenizer {
  /** Tokens, hash and hints of a text, from the cache where it was read before. */
  read(text: string): ReadText
  count(text: string): number
  /**
   * The text cut into one string per token. A token that ends inside a character gives '' and the character comes with
   * the token that completes it, so the length is always the token count.
   */
  pieces(text: string): string[]
  decode(tokens: Iterable<number>): string
}

/** Bound of the read texts held per encoding and generation, in UTF-16 units; a token costs four bytes beside them. */
const READ_CHARS_MAX = 16_000_000
/** Weight of an entry beside its text. */
const READ_ENTRY_CHARS = 64

/** Special tokens in a user's text are plain text to the service, never control. */
const asPlainText = { disallowedSpecial: new Set<string>() }

interface Encoding {
  encode(text: string, options?: { disallowedSpecial?: Set<string> }): number[]
  decode(tokens: Iterable<number>): string
  decodeGenerator(tokens: Iterable<number>): Generator<string, void, void>
}

const loading = new Map<EncodingName, Promise<Tokenizer>>()

/** Loads an encoding once per process: its table takes a third of a second and tens of megabytes. */
export function loadTokenizer(name: EncodingName): Promise<Tokenizer> {
  let tokenizer = loading.get(name)
  if (tokenizer === undefined) {
    tokenizer = importEncoding(name).then(createTokenizer)
    loading.set(name, tokenizer)
  }
  return tokenizer
}

function importEncoding(name: EncodingName): Promise<Encoding> {
  return name === 'o200k_base'
    ? import('gpt-tokenizer/encoding/o200k_base')
    : import('gpt-tokenizer/encoding/cl100k_base')
}

function createTokenizer(encoding: Encoding): Tokenizer {
  const cache = new GenerationalCache<string, ReadText>(READ_CHARS_MAX, (text) => text.length + READ_ENTRY_CHARS)
  const read = (text: string): ReadText => {
    const known = cache.get(text)
    if (known !== undefined) return known
    const fresh = {
      tokens: Uint32Array.from(encoding.encode(text, asPlainText)),
      hash: hashText(text),
      hints: readHints(text),
    }
    cache.set(text, fresh)
    return fresh
  }
  return {
    read,
    count: (text) => read(text).tokens.length,
    decode: (tokens) => encoding.decode(tokens),
    pieces: (text) => piecesOf(encoding, read(text).tokens),
  }
}

function piecesOf(encoding: Encoding, tokens: Uint32Array): string[] {
  let taken = 0
  function* feed() {
    for (const token of tokens) {
      taken++
      yield token
    }
  }
  const pieces: string[] = []
  for (const piece of encoding.decodeGenerator(feed())) {
    // The decoder takes further tokens until a character is whole; those before the last one gave nothing.
    while (pieces.length < taken - 1) pieces.push('')
    pieces.push(piece)
  }
  while (pieces.length < tokens.length) pieces.push('')
  return pieces
}
