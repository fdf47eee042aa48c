import { createVerify, type KeyObject } from 'node:crypto'
import { isJsonObject } from '../json-value'

/** The claims of a token that something here asks for. */
export interface TokenClaims {
  readonly aud: string
  /** The caller's object id in the directory `tid`. */
  readonly oid: string
  readonly tid: string
  /** The application that asked for the token. */
  readonly azp: string | undefined
}

export type ReadToken =
  | { readonly kind: 'valid'; readonly claims: TokenClaims }
  | { readonly kind: 'expired' }
  /** Not signed by this Entra, or no token at all. */
  | { readonly kind: 'invalid' }

const TOKEN_CHARACTERS_MAX = 16_384
const TOKEN = /^([\w-]+\.[\w-]+)\.([\w-]+)$/

/** Reads a token whose signature is by this key. Real services check it, and a forged one must fare here as there. */
export function readToken(token: string, publicKey: KeyObject, now: number): ReadToken {
  const [, signed = '', signature = ''] = (token.length <= TOKEN_CHARACTERS_MAX && TOKEN.exec(token)) || []
  if (signed === '') return { kind: 'invalid' }
  const isOurs = createVerify('RSA-SHA256').update(signed).verify(publicKey, signature, 'base64url')
  const claims = isOurs ? parsed(signed.split('.')[1] ?? '') : undefined
  if (claims === undefined) return { kind: 'invalid' }
  const { aud, oid, tid, azp, exp } = claims
  if (typeof aud !== 'string' || typeof oid !== 'string' || typeof tid !== 'string') return { kind: 'invalid' }
  if (typeof exp !== 'number' || exp * 1_000 <= now) return { kind: 'expired' }
  return { kind: 'valid', claims: { aud, oid, tid, azp: typeof azp === 'string' ? azp : undefined } }
}

function parsed(part: string) {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
