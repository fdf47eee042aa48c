import { isObject } from '../base/json-object'
import type { Problem } from '../base/problem'
import { invalid } from './body-fields'

/** A client's own words about a thing that it had made: of no meaning to the platform. */
export type Metadata = Readonly<Record<string, string>>

/** OpenAI's bounds, the same for jobs and batches. */
export const METADATA_PAIRS_MAX = 16
const METADATA_KEY_CHARACTERS_MAX = 64
export const METADATA_VALUE_CHARACTERS_MAX = 512

/** A body's `metadata`; `null` is as good as absent. */
export function readMetadata(value: unknown): Metadata | undefined | Problem {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) return invalid('metadata', 'must be an object of texts')
  const pairs = Object.entries(value)
  if (pairs.length > METADATA_PAIRS_MAX) return invalid('metadata', `has more than ${METADATA_PAIRS_MAX} pairs`)
  const texts: Record<string, string> = {}
  for (const [key, text] of pairs) {
    if (key.length > METADATA_KEY_CHARACTERS_MAX)
      return invalid('metadata', `has a key of more than ${METADATA_KEY_CHARACTERS_MAX} characters`)
    if (typeof text !== 'string' || text.length > METADATA_VALUE_CHARACTERS_MAX)
      return invalid('metadata', `must have texts of up to ${METADATA_VALUE_CHARACTERS_MAX} characters as its values`)
    texts[key] = text
  }
  return texts
}
