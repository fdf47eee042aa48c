import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose'
import { Problem, ProblemError } from '../base/problem'

/** What a verified Entra access token says of whoever holds it. */
export interface EntraClaims {
  readonly kind: 'user' | 'application'
  readonly directoryId: string
  readonly objectId: string
  /** App roles of our API that the directory's administrators have given. */
  readonly appRoles: readonly string[]
  /** Unix milliseconds. */
  readonly expiresAt: number
}

export interface EntraTokens {
  /** The claims, or undefined for a token that is not valid here. Throws a retryable problem when keys cannot be had. */
  verify(token: string): Promise<EntraClaims | undefined>
}

export interface EntraSettings {
  /** `https://login.microsoftonline.com`, or that of another cloud; without a slash at the end. */
  readonly authority: string
  /** The client ids (v2.0 tokens carry the GUID) and App ID URIs under which tokens are asked for. */
  readonly audiences: readonly string[]
}

/** Signing keys are kept so long, fetched anew at an unknown key id, but not more often than the second. */
const KEYS_KEPT_MS = 86_400_000
const KEYS_COOL_DOWN_MS = 30_000
const KEYS_TIMEOUT_MS = 5_000
/** How far the clocks of issuer and platform may differ. */
const SKEW_SECONDS = 300
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * Access tokens, v2.0, of any directory. The rules of a multitenant API (learn.microsoft.com, "Validate tokens"; azure-facts
 * 6.1): RS256 by a key of the authority's common key set; the issuer is the authority's for the token's own `tid`; a key that
 * names an issuer signs for that one only. Whether the directory is somebody's here is not asked in this module.
 */
export function createEntraTokens({ authority, audiences }: EntraSettings): EntraTokens {
  const keySet = createRemoteJWKSet(new URL(`${authority}/common/discovery/v2.0/keys`), {
    cacheMaxAge: KEYS_KEPT_MS,
    cooldownDuration: KEYS_COOL_DOWN_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
  })
  return {
    verify: async (token) => {
      try {
        const { payload, protectedHeader } = await jwtVerify(token, keySet, {
          algorithms: ['RS256'],
          audience: [...audiences],
          clockTolerance: SKEW_SECONDS,
          requiredClaims: ['exp', 'iss', 'tid', 'oid'],
        })
        // Entra's own addition to a JWK (azure-facts 6.1).
        const key: { kid?: string; issuer?: unknown } | undefined = keySet
          .jwks()
          ?.keys.find(({ kid }) => kid === protectedHeader.kid)
        return claimsOf(payload, authority, key?.issuer)
      } catch (error) {
        if (isRefusal(error)) return undefined
        throw new ProblemError(
          new Problem('identity_unavailable', 'The keys that verify Entra tokens cannot be had at the moment.'),
          { cause: error },
        )
      }
    },
  }
}

function claimsOf(payload: JWTPayload, authority: string, keyIssuer: unknown): EntraClaims | undefined {
  const { iss, tid, oid, roles, exp = 0 } = payload
  if (typeof tid !== 'string' || !GUID.test(tid) || typeof oid !== 'string' || !GUID.test(oid)) return undefined
  if (iss !== `${authority}/${tid}/v2.0`) return undefined
  if (typeof keyIssuer === 'string' && keyIssuer.replace('{tenantid}', tid) !== iss) return undefined
  return {
    // Only what a user agreed to carries `scp`; an application on its own never has it.
    kind: payload['scp'] === undefined ? 'application' : 'user',
    directoryId: tid.toLowerCase(),
    objectId: oid.toLowerCase(),
    appRoles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
    expiresAt: exp * 1_000 + SKEW_SECONDS * 1_000,
  }
}

/** The token is at fault, not the way to the keys. */
const isRefusal = (error: unknown) =>
  error instanceof errors.JOSEError &&
  !(error instanceof errors.JWKSTimeout) &&
  !(error instanceof errors.JWKSInvalid) &&
  error.code !== 'ERR_JOSE_GENERIC'
