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
  const credential = readCredential(headers)
  const { credentialKind } = credential
  switch (credential.kind) {
    case 'none':
      return { kind: 'refused', credentialKind, refusal: accessDenied(dialect) }
    case 'key':
      if (authentication.keys.includes(credential.key)) return { kind: 'accepted', credentialKind }
      return { kind: 'refused', credentialKind, refusal: accessDenied(dialect) }
    case 'token':
      if (isAcceptedToken(credential.token, authentication)) return { kind: 'accepted', credentialKind }
      return { kind: 'refused', credentialKind, refusal: badToken }
  }
}

/** What a caller shows, unchecked. */
export type ShownCredential =
  | { readonly kind: 'none'; readonly credentialKind: 'none' }
  | { readonly kind: 'key'; readonly credentialKind: 'api-key' | 'bearer-key'; readonly key: string }
  | { readonly kind: 'token'; readonly credentialKind: 'bearer-jwt'; readonly token: string }

export function readCredential({ 'api-key': apiKey, authorization }: IncomingHttpHeaders): ShownCredential {
  if (typeof apiKey === 'string' && apiKey !== '') return { kind: 'key', credentialKind: 'api-key', key: apiKey }
  if (authorization === undefined || authorization.slice(0, BEARER.length).toLowerCase() !== BEARER) {
    return { kind: 'none', credentialKind: 'none' }
  }
  const bearer = authorization.slice(BEARER.length)
  if (isToken(bearer)) return { kind: 'token', credentialKind: 'bearer-jwt', token: bearer }
  return { kind: 'key', credentialKind: 'bearer-key', key: bearer }
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
