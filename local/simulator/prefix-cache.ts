import { GenerationalCache } from './generational-cache'
import { mixHash } from './random'

/** Prompt caching begins here and goes on in steps. Source: Azure's prompt caching page, 2026. */
const CACHED_TOKENS_MIN = 1_024
const CACHED_TOKENS_STEP = 128
/** Bound of the remembered boundaries per deployment and generation; a prompt of 100,000 tokens has about 770. */
const BOUNDARIES_MAX = 100_000

/**
 * Walks a prompt's tokens and keeps a hash at each boundary. Two independent 32-bit hashes make a 53-bit key, so that
 * two prompts do not share one by accident.
 */
export class PrefixHasher {
  readonly boundaries: number[] = []
  #one = 1
  #two = 2
  #count = 0

  add(token: number): void {
    this.#one = mixHash(this.#one, token)
    this.#two = mixHash(this.#two, token + 0x51ed270b)
    this.#count++
    if (this.#count >= CACHED_TOKENS_MIN && this.#count % CACHED_TOKENS_STEP === 0) {
      this.boundaries.push(this.#one * 0x200000 + (this.#two >>> 11))
    }
  }

  addAll(tokens: Uint32Array): void {
    for (const token of tokens) this.add(token)
  }
}

/** The prompt prefixes that a deployment has seen. */
export class PrefixCache {
  readonly #seen = new GenerationalCache<number, true>(BOUNDARIES_MAX)

  /** How many tokens of this prompt were seen before, and remembers it. Zero below 1,024 tokens. */
  visit(boundaries: readonly number[]): number {
    let known = 0
    while (known < boundaries.length && this.#seen.get(boundaries[known] ?? 0) === true) known++
    for (const boundary of boundaries.slice(known)) this.#seen.set(boundary, true)
    return known === 0 ? 0 : CACHED_TOKENS_MIN + (known - 1) * CACHED_TOKENS_STEP
  }
}
