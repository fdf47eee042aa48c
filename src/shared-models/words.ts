/** A word as it is compared (`word`), and where it stands in its text. */
export interface Word {
  readonly word: string
  readonly start: number
  readonly end: number
}

/**
 * Letters with their marks and digits, or digits in groups: a number that is written in pairs is one word, or every pair of it
 * would be as common as the hours of a day. Punctuation and symbols are no words.
 */
const WORD = /[\p{L}\p{M}\p{N}]*[\p{L}\p{M}][\p{L}\p{M}\p{N}]*|\p{N}+(?:[ .,:/()-]{1,3}\p{N}+)*/gu
/** Scripts that put no spaces between words: their runs are cut by a dictionary. */
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const BETWEEN_GROUPS = /[ .,:/()-]+/g

/** The words of a text that `plainText` has made plain, in their order. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = []
  for (const { 0: found, index } of text.matchAll(WORD)) {
    if (!WITHOUT_SPACES.test(found)) words.push({ word: wordKey(found), start: index, end: index + found.length })
    else
      for (const { segment, index: at } of wordSegmenter().segment(found))
        words.push({ word: wordKey(segment), start: index + at, end: index + at + segment.length })
  }
  return words
}

let segmenter: Intl.Segmenter | undefined
/** Made when it is first needed: to load its dictionaries takes 12 ms, which each start of the app would pay. */
const wordSegmenter = () => (segmenter ??= new Intl.Segmenter('und', { granularity: 'word' }))

const wordKey = (found: string) => found.toLowerCase().replaceAll(BETWEEN_GROUPS, '-')

/** What is not seen: by such characters a name can be written so that it reads the same and compares otherwise. */
const UNSEEN = /[\p{Cf}\p{Co}\p{Cn}]|(?![\n\t])\p{Cc}/gu

/** The text in one of the forms that read alike (NFKC), without what is not seen. */
export const plainText = (text: string): string =>
  text.toWellFormed().replaceAll('\r\n', '\n').normalize('NFKC').replaceAll(UNSEEN, '')
