import { findPii } from '../datasets/pii/find-pii'
import { withTexts, type SharedExample } from './shared-example'
import { betweenPlaceholders, placeholderKindOf, Placeholders, replaceSpans } from './placeholders'
import type { Terms } from './terms'
import { plainText, wordsOf } from './words'

/**
 * The example with what identifies somebody replaced by placeholders, the same for the same within the example: what has the form of
 * an e-mail address, a phone number and the like (`findPii`), and the terms of its tenant. Names of persons have no form; they
 * go because they are no common words (`commonExample`). Pure.
 */
export function removeIdentifiers(example: SharedExample, terms: Terms): SharedExample {
  const placeholders = new Placeholders()
  return withTexts(example, (text) =>
    betweenPlaceholders(withoutPii(plainText(text), placeholders), (plain) => withoutTerms(plain, terms, placeholders)),
  )
}

function withoutPii(text: string, placeholders: Placeholders): string {
  const found = findPii(text).toSorted((a, b) => a.start - b.start)
  return replaceSpans(
    text,
    found.map(({ kind, start, end }) => ({
      start,
      end,
      by: placeholders.of(placeholderKindOf(kind), valueOf(text.slice(start, end))),
    })),
  )
}

/** Two spellings of one number or address are one. */
const valueOf = (text: string) => text.toLowerCase().replaceAll(/[\s()./-]/g, '')

function withoutTerms(text: string, terms: Terms, placeholders: Placeholders): string {
  const found = terms.find(wordsOf(text))
  return replaceSpans(
    text,
    found.map(({ kind, value, start, end }) => ({ start, end, by: placeholders.of(kind, value) })),
  )
}

/** Whether anything is left of what `removeIdentifiers` removes, for the terms of any tenant. Pure. */
export function identifies({ messages }: SharedExample, terms: Terms): boolean {
  return messages.some(({ content }) => {
    let isFound = findPii(content).length > 0
    betweenPlaceholders(content, (plain) => {
      isFound ||= terms.find(wordsOf(plain)).length > 0
      return plain
    })
    return isFound
  })
}
