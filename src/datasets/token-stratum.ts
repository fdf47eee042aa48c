/**
 * Pieces of text of one class of speakers in a part of a file, of which some are counted. Their tokens are estimated as
 * all characters times the tokens per character of those that were counted. Source: Cochran, Sampling Techniques, 3rd
 * edition, chapter 6 (ratio estimators): the variance is N² (1 − n/N) s² / n, with s² that of tokens − ratio × characters.
 */
export class TokenStratum {
  pieces = 0
  characters = 0
  #counted = 0
  #tokens = 0
  #countedCharacters = 0
  #squares = 0
  #products = 0
  #characterSquares = 0

  /** A piece that is not counted. */
  add(characters: number): void {
    this.pieces += 1
    this.characters += characters
  }

  count(characters: number, tokens: number): void {
    this.add(characters)
    this.#counted += 1
    this.#tokens += tokens
    this.#countedCharacters += characters
    this.#squares += tokens * tokens
    this.#products += tokens * characters
    this.#characterSquares += characters * characters
  }

  get tokensPerCharacter(): number {
    return this.#countedCharacters === 0 ? TOKENS_PER_CHARACTER_UNKNOWN : this.#tokens / this.#countedCharacters
  }

  /** Where too few of its own are counted, `like` is taken for the same kind of text. */
  estimate(like: TokenStratum | undefined): { readonly tokens: number; readonly variance: number } {
    if (this.#counted === this.pieces) return { tokens: this.#tokens, variance: 0 }
    const sample = like && this.#counted < SAMPLE_MIN ? this.#with(like) : this
    const ratio = sample.tokensPerCharacter
    const residuals = sample.#squares - 2 * ratio * sample.#products + ratio * ratio * sample.#characterSquares
    const spread = Math.max(0, residuals) / Math.max(1, sample.#counted - 1)
    const uncounted = this.pieces - this.#counted
    return {
      tokens: ratio * this.characters,
      variance: (this.pieces * uncounted * spread) / Math.max(1, sample.#counted),
    }
  }

  #with(other: TokenStratum): TokenStratum {
    const both = new TokenStratum()
    both.#counted = this.#counted + other.#counted
    both.#tokens = this.#tokens + other.#tokens
    both.#countedCharacters = this.#countedCharacters + other.#countedCharacters
    both.#squares = this.#squares + other.#squares
    both.#products = this.#products + other.#products
    both.#characterSquares = this.#characterSquares + other.#characterSquares
    return both
  }
}

/** English prose in o200k_base; only until the first piece is counted. */
const TOKENS_PER_CHARACTER_UNKNOWN = 0.23
const SAMPLE_MIN = 30
