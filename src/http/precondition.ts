import { Problem } from '../base/problem'

/** Whether a version may be replaced, as the client's `If-Match` says. */
export type IfMatch = (version: number) => boolean

const HEADER_CHARACTERS_MAX = 1_000

/** For endpoints that ask for no precondition, and for `If-Match: *`. */
export const matchesAny: IfMatch = () => true

/**
 * RFC 9110, section 13.1.1: a list of strong tags, or `*` for whatever is there. Tags are our versions in quotes; any
 * other tag, a weak one too, matches nothing.
 */
export function readIfMatch(header: string | null): IfMatch | Problem {
  if (header === null || header.trim() === '')
    return new Problem(
      'precondition_required',
      'Send the ETag of the version that you read in the `If-Match` header, so that nobody else’s change is lost.',
      { param: 'if-match' },
    )
  if (header.length > HEADER_CHARACTERS_MAX)
    return new Problem('invalid_request', '`If-Match` is too long: one ETag is enough.', { param: 'if-match' })
  const tags = header.split(',').map((tag) => tag.trim())
  return tags.includes('*') ? matchesAny : (version) => tags.includes(`"${version}"`)
}
