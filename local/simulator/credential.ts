import type { IncomingHttpHeaders } from 'node:http'
import { accessDenied, badToken, type Dialect, type Refusal } from './errors'
import type { CredentialKind } from './ledger'
import type { SimulatorConfig } from './config'

export type CheckedCredential =
  | { readonly kind: 'accepted'; readonly credentialKind: CredentialKind }
  | { readonly kind: 'refused'; readonly credentialKind: CredentialKind; readonly refusal: Refusal }

const BEARER = 'bearer '

/**
 * Takes a key in `api-key`, a key as a bearer (which the OpenAI clients send to Azure's v1), or an Entra token as a
 * bearer. A token is never checked for its signature: this is a simulator, and its tokens come from one too.
 */
export function checkCredential(
  headers: IncomingHttpHeaders,
  authentication: SimulatorConfig['authentication'],
  dialect: Dialect,
): CheckedCredential {
  const apiKey = headers['api-key']
  if (typeof apiKey === 'string' && apiKey !== '') return checkKey(apiKey, 'api-key', authentication, dialect)
  const { authorization } = headers
  if (authorization === undefined || authorization.slice(0, BEARER.length).toLowerCase() !== BEARER) {
    return { kind: 'refused', credentialKind: 'none', refusal: accessDenied(dialect) }
  }
  const bearer = authorization.slice(BEARER.length)
  if (!isToken(bearer)) return checkKey(bearer, 'bearer-key', authentication, dialect)
  if (isAcceptedToken(bearer, authentication)) return { kind: 'accepted', credentialKind: 'bearer-jwt' }
  return { kind: 'refused', credentialKind: 'bearer-jwt', refusal: badToken }
}

function checkKey(
  key: string,
  credentialKind: CredentialKind,
  authentication: SimulatorConfig['authentication'],
  dialect: Dialect,
): CheckedCredential {
  if (authentication.keys.includes(key)) return { kind: 'accepted', credentialKind }
  return { kind: 'refused', credentialKind, refusal: accessDenied(dialect) }
}

/** Three parts, the first of which begins as every base64 of `{"` does. */
function isToken(bearer: string): boolean {
  return bearer.startsWith('eyJ') && bearer.split('.').length === 3
}

function isAcceptedToken(token: string, authentication: SimulatorConfig['authentication']): boolean {
  if (authentication.tokens === 'accept') return true
  if (authentication.tokens === 'refuse') return false
  const claims = readClaims(token)
  if (typeof claims?.exp !== 'number' || claims.exp * 1_000 <= Date.now()) return false
  const { aud } = claims
  // Entra writes the audience with or without a closing slash, as the resource was registered.
  return typeof aud === 'string' && authentication.audiences.includes(aud.endsWith('/') ? aud.slice(0, -1) : aud)
}

function readClaims(token: string): { aud?: unknown; exp?: unknown } | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? claims : undefined
  } catch {
    return undefined
  }
}
