import { loadTokenRanks, NO_RANK, type TokenRanks } from './token-ranks'

/** Tokens of a text of at most `PIECE_CHARACTERS` by o200k_base, the encoding of every OpenAI model that can be trained. */
export type CountTokens = (piece: string) => number

/** Pieces of a text are at most so long, in characters. */
export const PIECE_CHARACTERS = 1_024
/** And text without any gap in so many more is cut after this. */
export const UNBROKEN_CHARACTERS = 256

/** Characters of UTF-16 take at most three bytes. */
const PIECE_BYTES = 3 * PIECE_CHARACTERS

/**
 * Where a text is split before anything is merged: words with the space before them, up to three digits, signs, white
 * space. It leaves out nothing. Source: OpenAI's tiktoken, o200k_base.
 */
const SPLIT =
  /[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?:'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD]))?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?:'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD]))?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu

let ranks: Promise<TokenRanks> | undefined

/** The tables are read when they are first needed. What looks like one of the model's special tokens counts as the text that it is. */
export async function loadTokenCounter(): Promise<CountTokens> {
  ranks ??= loadTokenRanks()
  const counter = new TokenCounter(await ranks)
  return (piece) => counter.count(piece)
}

/** Counts, and makes no tokens: nothing is allocated for a word. */
class TokenCounter {
  readonly #ranks: TokenRanks
  readonly #bytes = Buffer.alloc(PIECE_BYTES)
  readonly #pattern = new RegExp(SPLIT)
  /** Of a word: where its parts begin, and the rank that each would have if it was merged with the next. */
  readonly #starts = new Uint32Array(PIECE_BYTES + 1)
  readonly #merged = new Uint32Array(PIECE_BYTES + 1)

  constructor(ranks: TokenRanks) {
    this.#ranks = ranks
  }

  count(piece: string): number {
    const length = this.#bytes.write(piece, 'utf8')
    // Then a character's place in the text is its byte's.
    const ascii = length === piece.length
    let tokens = 0
    let start = 0
    this.#pattern.lastIndex = 0
    while (start < piece.length && this.#pattern.test(piece)) {
      const end = this.#pattern.lastIndex
      tokens += ascii
        ? this.#countWord(start, end)
        : this.#countWord(0, this.#bytes.write(piece.slice(start, end), 'utf8'))
      start = end
    }
    return tokens
  }

  /** Merges the pair of the lowest rank until none is left. Source: Sennrich et al., "Neural Machine Translation of Rare Words" (2016). */
  #countWord(start: number, end: number): number {
    if (this.#ranks.rankOf(this.#bytes, start, end) !== NO_RANK) return 1
    const [starts, merged] = [this.#starts, this.#merged]
    let parts = end - start
    for (let part = 0; part <= parts; part++) starts[part] = start + part
    for (let part = 0; part < parts; part++) merged[part] = this.#rankMerged(part, parts)
    for (;;) {
      let lowest = 0
      for (let part = 1; part < parts; part++) if ((merged[part] ?? 0) < (merged[lowest] ?? 0)) lowest = part
      if (merged[lowest] === NO_RANK) return parts
      parts -= 1
      // One by one: words are short, and a call to copy takes longer than most of them.
      for (let part = lowest + 1; part < parts; part++) {
        starts[part] = starts[part + 1] ?? 0
        merged[part] = merged[part + 1] ?? 0
      }
      starts[parts] = starts[parts + 1] ?? 0
      merged[lowest] = this.#rankMerged(lowest, parts)
      if (lowest > 0) merged[lowest - 1] = this.#rankMerged(lowest - 1, parts)
    }
  }

  #rankMerged(part: number, parts: number): number {
    if (part + 2 > parts) return NO_RANK
    return this.#ranks.rankOf(this.#bytes, this.#starts[part] ?? 0, this.#starts[part + 2] ?? 0)
  }
}

/**
 * The end of the piece that begins at `start`: between two words where there is a gap, so that the pieces have together as
 * many tokens as the whole. Text without gaps is cut hard and short, which adds at most a token or two for each piece: merging
 * takes time that grows with the square of a word, so no word may be long.
 */
export function endOfPiece(text: string, start: number): number {
  const near = start + UNBROKEN_CHARACTERS
  if (near >= text.length) return text.length
  for (let at = Math.min(start + PIECE_CHARACTERS, text.length) - 1; at > start; at--) if (isGap(text, at)) return at
  // Not within a pair that stands for one character.
  return isLowSurrogate(text.charCodeAt(near)) ? near - 1 : near
}

/** A space or a mark goes with the letter behind it, where another letter stands before it: there the text is split. */
function isGap(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  const splits = code === SPACE || code === COMMA_FULL || code === COMMA_CJK || code === STOP_CJK
  return splits && isLetter(text.charCodeAt(at + 1)) && isLetter(text.charCodeAt(at - 1))
}

const SPACE = 0x20
const COMMA_FULL = 0xff0c
const COMMA_CJK = 0x3001
const STOP_CJK = 0x3002
/** Of the scripts that most text is written in; where another is not known as one, a cut lies elsewhere. */
const isLetter = (code: number) =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x410 && code <= 0x44f) ||
  (code >= 0x4e00 && code <= 0x9fff) ||
  (code >= 0x3041 && code <= 0x3096) ||
  (code >= 0x30a1 && code <= 0x30fa) ||
  (code >= 0xac00 && code <= 0xd7a3)
const isLowSurrogate = (code: number) => code >= 0xdc00 && code <= 0xdfff
