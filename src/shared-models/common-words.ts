import { betweenPlaceholders, Placeholders, replaceSpans } from './placeholders'
import { withTexts, type SharedExample } from './shared-example'
import { wordsOf } from './words'

/** Of all tenants of a build; those that come later count as uncommon, which errs on the safe side. */
const WORDS_MAX = 500_000
/** Of one tenant. */
const TENANT_WORDS_MAX = 200_000
/** Longer ones are never common: no dictionary has them, and tokens and keys are such. */
const WORD_CHARACTERS_MAX = 40
/** Of an example's words: with more of them gone it teaches nothing, and what it says is its tenant's alone. */
const UNCOMMON_SHARE_MAX = 0.3

/** Counts by how many tenants a word is used. */
export class WordTally {
  readonly #tenants = new Map<string, number>()

  /** The distinct words of one tenant; to be added once. */
  add(words: ReadonlySet<string>): void {
    for (const word of words) {
      const before = this.#tenants.get(word)
      if (before !== undefined) this.#tenants.set(word, before + 1)
      else if (this.#tenants.size < WORDS_MAX) this.#tenants.set(word, 1)
    }
  }

  /** Those that at least so many tenants use, in order. */
  common(tenantsMin: number): string[] {
    return [...this.#tenants].flatMap(([word, tenants]) => (tenants >= tenantsMin ? [word] : [])).sort()
  }
}

/** Adds an example's words, outside of placeholders, to those of its tenant. */
export function noteWords({ messages }: SharedExample, words: Set<string>): void {
  for (const { content } of messages)
    betweenPlaceholders(content, (plain) => {
      for (const { word } of wordsOf(plain))
        if (word.length <= WORD_CHARACTERS_MAX && words.size < TENANT_WORDS_MAX) words.add(word)
      return plain
    })
}

/**
 * The example with only common words in it, and placeholders in place of others; undefined where too few of its words are common.
 * So whatever it says is said in words that several tenants use. Pure.
 */
export function commonExample(example: SharedExample, common: ReadonlySet<string>): SharedExample | undefined {
  const placeholders = new Placeholders()
  let words = 0
  let uncommon = 0
  const result = withTexts(example, (text) =>
    betweenPlaceholders(text, (plain) => {
      const all = wordsOf(plain)
      const others = all.filter(({ word }) => !common.has(word))
      words += all.length
      uncommon += others.length
      return replaceSpans(
        plain,
        others.map(({ word, start, end }) => ({ start, end, by: placeholders.of('WORD', word) })),
      )
    }),
  )
  return uncommon > words * UNCOMMON_SHARE_MAX || words === 0 ? undefined : result
}
