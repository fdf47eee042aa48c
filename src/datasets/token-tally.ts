import { assert } from '../base/assert'
import { endOfPiece, PIECE_CHARACTERS, type CountTokens } from './count-tokens'
import { imageTokens } from './image-tokens'
import { textClasses, type ExampleParts, type TextClass } from './example-parts'
import { TokenStratum } from './token-stratum'

/** Tokens of a file, by who speaks them. */
export interface TokenReport {
  /** All of them, once: what a job is charged for, times its epochs. */
  readonly total: number
  /** How far off `total` may be, 19 of 20 times; 0 where all text was counted. */
  readonly margin: number
  /** `unlearned`: of the assistant with weight 0. `definitions`: of tools. */
  readonly byClass: Readonly<Record<TextClass, number>>
  /** What the conversation's form takes: 3 tokens a message and example, 1 a name. */
  readonly framing: number
  readonly images: number
  /** Images given by address count as the largest there are. */
  readonly imagesOfUnknownSize: number
}

export interface LineTokens {
  readonly tokens: number
  /** Whether all of its text was counted. */
  readonly exact: boolean
}

/** A class's text is counted whole up to the first number of characters, then one piece in so many. */
const phases = [
  { untilCharacters: 1024 * 1024, oneIn: 1 },
  { untilCharacters: 32 * 1024 * 1024, oneIn: 64 },
  { untilCharacters: Infinity, oneIn: 256 },
] as const

/** Between two pauses for others: 1 ms of prose, 10 ms of text without gaps. */
const TURN_CHARACTERS = 8 * 1024
/** Of the normal distribution: 95 % lie within so many standard deviations. */
const DEVIATIONS_95 = 1.96

/**
 * Counts the tokens of a file as its examples come: all of them in the first megabytes, then of a sample of pieces, drawn
 * by a hash of each piece's place, so that the same file always gives the same figures. Framing: OpenAI's cookbook, "How
 * to count tokens" (azure-facts 1.10); definitions of tools count as their JSON, since what the provider makes of them
 * is not known.
 */
export class TokenTally {
  readonly #countTokens: CountTokens
  readonly #classes: Readonly<Record<TextClass, ClassTally>>
  #framing = 0
  #images = 0
  #imagesOfUnknownSize = 0
  #sinceTurn = 0

  constructor(countTokens: CountTokens) {
    this.#countTokens = countTokens
    const tally = () => new ClassTally()
    this.#classes = {
      system: tally(),
      user: tally(),
      assistant: tally(),
      unlearned: tally(),
      tool: tally(),
      definitions: tally(),
    }
  }

  /** Yields wherever others should have their turn. */
  *add(parts: ExampleParts): Generator<void, LineTokens> {
    let tokens = framingOf(parts)
    let exact = true
    this.#framing += tokens
    tokens += this.#addImages(parts)
    for (const [i, text] of parts.texts.entries()) {
      const tally = this.#classes[parts.classes[i] ?? 'user']
      for (let start = 0; start < text.length;) {
        const end = endOfPiece(text, start)
        const characters = end - start
        if (tally.draw(characters)) {
          const counted = this.#countTokens(text.slice(start, end))
          tally.count(characters, counted)
          tokens += counted
          this.#sinceTurn += characters
        } else {
          tally.add(characters)
          tokens += characters * tally.tokensPerCharacter
          exact = false
        }
        start = end
        if (this.#sinceTurn < TURN_CHARACTERS) continue
        this.#sinceTurn = 0
        yield
      }
    }
    return { tokens, exact }
  }

  /**
   * Whether an example is longer than so many tokens, and how long it is. A few of its pieces say enough where it is far from the bound;
   * close to it all are counted.
   */
  *measure(parts: ExampleParts, tokensMax: number): Generator<void, LineTokens> {
    const rough = this.#measureRoughly(parts)
    if (Math.abs(rough.tokens - tokensMax) > rough.doubt) return { tokens: rough.tokens, exact: false }
    let tokens = framingOf(parts) + parts.images.reduce((sum, image) => sum + imageTokens(image), 0)
    for (const text of parts.texts) {
      for (let start = 0; start < text.length;) {
        const end = endOfPiece(text, start)
        tokens += this.#countTokens(text.slice(start, end))
        this.#sinceTurn += end - start
        start = end
        if (tokens > ENOUGH * tokensMax) return { tokens, exact: false }
        if (this.#sinceTurn < TURN_CHARACTERS) continue
        this.#sinceTurn = 0
        yield
      }
    }
    return { tokens, exact: true }
  }

  report(): TokenReport {
    const byClass: Record<TextClass, number> = {
      system: 0,
      user: 0,
      assistant: 0,
      unlearned: 0,
      tool: 0,
      definitions: 0,
    }
    let total = this.#framing + this.#images
    let variance = 0
    for (const textClass of textClasses) {
      const estimate = this.#classes[textClass].estimate()
      byClass[textClass] = Math.round(estimate.tokens)
      total += byClass[textClass]
      variance += estimate.variance
    }
    return {
      total,
      margin: Math.ceil(DEVIATIONS_95 * Math.sqrt(variance)),
      byClass,
      framing: this.#framing,
      images: this.#images,
      imagesOfUnknownSize: this.#imagesOfUnknownSize,
    }
  }

  #addImages({ images }: ExampleParts): number {
    let tokens = 0
    for (const image of images) {
      tokens += imageTokens(image)
      if (!image.size && image.detail === 'high') this.#imagesOfUnknownSize += 1
    }
    this.#images += tokens
    return tokens
  }

  #measureRoughly(parts: ExampleParts): { readonly tokens: number; readonly doubt: number } {
    const characters = parts.texts.reduce((sum, text) => sum + text.length, 0)
    const fixed = framingOf(parts) + parts.images.reduce((sum, image) => sum + imageTokens(image), 0)
    const stratum = new TokenStratum()
    const step = Math.max(1, Math.floor(characters / LOOKS))
    let next = step / 2
    let before = 0
    for (const text of parts.texts) {
      for (; next < before + text.length; next += step) {
        const start = Math.floor(next - before)
        const end = endOfPiece(text, start)
        stratum.count(end - start, this.#countTokens(text.slice(start, end)))
      }
      before += text.length
    }
    // As if there were as many pieces as this that were not counted.
    const pieces = Math.ceil(characters / PIECE_CHARACTERS)
    stratum.characters = characters
    stratum.pieces += pieces
    const { tokens, variance } = stratum.estimate(undefined)
    return { tokens: fixed + tokens, doubt: DOUBT_DEVIATIONS * Math.sqrt(variance) + DOUBT_SHARE * tokens }
  }
}

const LOOKS = 12
/** Looks lie as evenly as words do not: the error is taken much larger than the looks themselves say. */
const DOUBT_DEVIATIONS = 5
const DOUBT_SHARE = 0.05
/** Nothing more is counted of an example that is so many times too long. */
const ENOUGH = 1.1

const framingOf = ({ messages, names, conversations }: ExampleParts) => 3 * messages + names + 3 * conversations

/** The text of one class, phase by phase. */
class ClassTally {
  readonly #strata = phases.map(() => new TokenStratum())
  #phase = 0
  #characters = 0
  #draws = 0

  /** Whether the next piece is to be counted. */
  draw(characters: number): boolean {
    while (this.#characters >= phaseAt(this.#phase).untilCharacters) this.#phase += 1
    this.#characters += characters
    this.#draws += 1
    const { oneIn } = phaseAt(this.#phase)
    return oneIn === 1 || mixed(this.#draws) % oneIn === 0
  }

  add(characters: number): void {
    this.#stratum(this.#phase).add(characters)
  }

  count(characters: number, tokens: number): void {
    this.#stratum(this.#phase).count(characters, tokens)
  }

  get tokensPerCharacter(): number {
    // The first phase has counted megabytes before there is a second.
    return this.#stratum(0).tokensPerCharacter
  }

  estimate(): { readonly tokens: number; readonly variance: number } {
    let [tokens, variance] = [0, 0]
    for (const [i, stratum] of this.#strata.entries()) {
      const estimate = stratum.estimate(this.#strata[i - 1])
      tokens += estimate.tokens
      variance += estimate.variance
    }
    return { tokens, variance }
  }

  #stratum(phase: number): TokenStratum {
    const stratum = this.#strata[phase]
    assert(stratum, 'every phase has its stratum')
    return stratum
  }
}

function phaseAt(phase: number): (typeof phases)[number] {
  const found = phases[phase]
  assert(found, 'the last phase does not end')
  return found
}

/** Makes neighbours unlike each other. Source: MurmurHash3's 32-bit finalizer (Austin Appleby, public domain). */
function mixed(number: number): number {
  let hash = number
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
