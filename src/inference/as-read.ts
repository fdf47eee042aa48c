import type { FieldEdit } from './json-fields'
import type { Call } from './read-call'

/** Letters of a key can be written as escapes, which no honest encoder does. */
const ESCAPED_LETTER = /\\u00[2-7]/

/**
 * Fields to be sent as they were read, not as they were written. In them ids are looked for, and where a key stands twice in an object
 * parsers disagree on which of the two counts: an account must be sent what was looked at, and nothing else.
 */
export function asRead({ body, rewrites = [] }: Call, keys: readonly string[]): FieldEdit[] {
  return keys
    .filter((key) => typeof body[key] === 'object' && body[key] !== null && !rewrites.some((edit) => edit.key === key))
    .map((key) => ({ key, value: JSON.stringify(body[key]) }))
}

/** Whether one of the words may stand in the body as a key, however it is written. */
export function mayHold({ bytes }: Pick<Call, 'bytes'>, words: readonly string[]): boolean {
  // Strings are searched several times faster than buffers.
  const text = bytes.toString('latin1')
  return words.some((word) => text.includes(word)) || (text.includes('\\u00') && ESCAPED_LETTER.test(text))
}
