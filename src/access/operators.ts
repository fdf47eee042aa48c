import { hash } from 'node:crypto'
import { Problem } from '../base/problem'
import { sameText } from './api-key'
import type { HeaderReader } from './read-credential'

/** Whoever holds one of the platform's operator tokens. */
export interface Operator {
  /** Tells operators apart in the audit log without telling their tokens: the start of the token's hash. */
  readonly name: string
}

export interface Operators {
  authenticate(headers: HeaderReader): Operator | Problem
}

const BEARER = /^Bearer +(\S+) *$/i
const NAME_CHARACTERS = 12

const required = new Problem(
  'operator_credential_required',
  'This is for the operators of the platform. Send an operator token as `Authorization: Bearer <token>`.',
  { headers: { 'www-authenticate': 'Bearer realm="tenantry-platform"' } },
)

/** `tokenHashes`: SHA-256 of each operator's token, in lower-case hex. An empty list lets nobody in. */
export function createOperators({ tokenHashes }: { tokenHashes: readonly string[] }): Operators {
  return {
    authenticate: (headers) => {
      const token = BEARER.exec(headers.get('authorization') ?? '')?.[1]
      if (!token) return required
      const digest = hash('sha256', token, 'hex')
      // All are compared, so that the time does not tell which one matched.
      const matches = tokenHashes.filter((tokenHash) => sameText(tokenHash, digest))
      return matches.length > 0 ? { name: digest.slice(0, NAME_CHARACTERS) } : required
    },
  }
}
