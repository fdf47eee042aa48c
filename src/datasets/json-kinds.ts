export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

/** What a value is, for a report: its kind and never what it holds. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'number' ? 'a number' : 'a true or false'
}

/** Short words in the letters of a key. Anything else may be content. */
const WORD = /^[A-Za-z_][A-Za-z_-]{0,31}$/

/** A key or a word of the format as it stands in the file, so that a misspelling is found; what may be content is not shown. */
export const shown = (word: unknown): string =>
  typeof word === 'string' && WORD.test(word) ? `“${word}”` : typeof word === 'string' ? 'something else' : kindOf(word)
