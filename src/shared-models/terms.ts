import type { PlaceholderKind } from './placeholders'
import { plainText, wordsOf, type Word } from './words'

/** Names and words by which a tenant is known. */
export interface Term {
  readonly kind: Extract<PlaceholderKind, 'NAME' | 'TERM'>
  readonly text: string
}

export interface FoundTerm {
  readonly kind: Term['kind']
  /** As it is compared. */
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Finds terms in the words of a text, in one pass however many terms there are. */
export interface Terms {
  /** In the order of their places, none inside another; of two that begin together the longer one. */
  find(words: readonly Word[]): FoundTerm[]
}

/** Shorter ones would be parts of everything: an alias "a". */
const TERM_CHARACTERS_MIN = 3

/** Terms are compared word by word: upper and lower case, hyphens, line breaks and the like make no difference. */
export function createTerms(terms: readonly Term[]): Terms {
  const byFirst = new Map<string, { kind: Term['kind']; words: readonly string[] }[]>()
  for (const { kind, text } of terms) {
    const words = wordsOf(plainText(text)).map(({ word }) => word)
    const [first] = words
    if (first === undefined || words.join('').length < TERM_CHARACTERS_MIN) continue
    const known = byFirst.get(first) ?? []
    byFirst.set(
      first,
      [...known, { kind, words }].toSorted((a, b) => b.words.length - a.words.length),
    )
  }
  const startsAt = (all: readonly Word[], at: number, words: readonly string[]) =>
    words.every((word, index) => all[at + index]?.word === word)
  return {
    find: (words) => {
      const found: FoundTerm[] = []
      for (let at = 0; at < words.length;) {
        const term = byFirst.get(words[at]?.word ?? '')?.find((known) => startsAt(words, at, known.words))
        const [first, last] = [words[at], words[at + (term?.words.length ?? 1) - 1]]
        if (term && first && last)
          found.push({ kind: term.kind, value: term.words.join(' '), start: first.start, end: last.end })
        at += term?.words.length ?? 1
      }
      return found
    },
  }
}
