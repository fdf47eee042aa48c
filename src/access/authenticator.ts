import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import { createStaleCache } from '../base/stale-cache'
import { TenantScope } from '../storage/tenant-scope'
import { digestOf, nameInKey, sameText, type ApiKeys } from './api-key'
import type { Caller, Credential } from './caller'
import type { KeyRecord, KeyReference } from './key-record'
import type { KeyStore } from './key-store'

/**
 * Turns a credential into the caller it speaks for. A key in use costs a hash and a look into the cache, no I/O. A
 * revoked key is refused by every instance within 30 s. A key that the platform did not make costs no read.
 */
export interface Authenticator {
  /** A refusal looks the same whatever is wrong with the key: missing, malformed, made up, expired or revoked. */
  authenticate(credential: Credential): Caller | Problem | Promise<Caller | Problem>
  /** For the instance that changed the key itself. */
  forget(changed: KeyReference): void
}

const FRESH_MS = 5_000
/** With the read itself, a revocation reaches every instance within 30 s. */
const STALE_MS = 25_000
const KEYS_MAX = 50_000

const challenge = { 'www-authenticate': 'Bearer realm="tenantry"' }
const refused = new Problem(
  'invalid_api_key',
  'The API key is missing or not valid. Send a key of your tenant in the `api-key` header or as `Authorization: Bearer <key>`.',
  { headers: challenge },
)
const entraNotEnabled = new Problem(
  'invalid_api_key',
  'Microsoft Entra tokens are not enabled on this platform. Send an API key in the `api-key` header instead.',
  { headers: challenge },
)

/** The same whatever is wrong: signature, audience, directory, or that nobody gave its holder a role. */
const refusedToken = new Problem(
  'invalid_api_key',
  'The Entra token is not valid for any tenant here: check its audience and expiry, and that its holder has a role.',
  { headers: challenge },
)

/** What a digest proved to be when it was read. */
type Standing =
  { readonly kind: 'refused' } | { readonly kind: 'valid'; readonly caller: Caller; readonly untilMs: number }

export function createAuthenticator({ store, apiKeys, entra, onRead, clock, log }: AuthenticatorDeps): Authenticator {
  const known = createStaleCache<KeyReference, Standing>({
    clock,
    load: async (reference) => {
      onRead?.(reference.tenantId)
      // The key's own check has shown that the platform made it for this tenant.
      const found = await store.get(TenantScope.ofCaller(reference), reference.keyId)
      return found ? standingOf(found.record, reference.digest) : { kind: 'refused' }
    },
    idOf: ({ digest }) => digest,
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    entriesMax: KEYS_MAX,
    onError: (error) => log.warn('an API key could not be read again', { error: describeError(error) }),
  })

  const judge = (standing: Standing) =>
    standing.kind === 'valid' && standing.untilMs > clock.now() ? standing.caller : refused

  const authenticateKey = (text: string) => {
    const name = nameInKey(text)
    if (!name) return refused
    const reference = { ...name, digest: digestOf(text) }
    // The check costs more than the look into the cache, and only ours ever get into the cache.
    if (!known.has(reference) && !apiKeys.isOurs(text)) return refused
    const standing = known.get(reference)
    return standing instanceof Promise ? standing.then(judge) : judge(standing)
  }

  return {
    forget: (changed) => known.forget(changed),
    authenticate: (credential) => {
      switch (credential.kind) {
        case 'none':
          return refused
        case 'entra-token':
          return entra ? entra(credential.text).then((caller) => caller ?? refusedToken) : entraNotEnabled
        case 'api-key':
          return authenticateKey(credential.text)
        default:
          return assertNever(credential)
      }
    },
  }
}

export interface AuthenticatorDeps {
  readonly store: KeyStore
  readonly apiKeys: ApiKeys
  /** Undefined where no audience is configured. */
  readonly entra?: ((token: string) => Promise<Caller | undefined>) | undefined
  /** Whose key is about to be read: what else a call needs of its tenant can be read meanwhile. Must not throw. */
  readonly onRead?: (tenantId: TenantId) => void
  readonly clock: Clock
  readonly log: Log
}

/** The caller is made of what is stored, not of what the key says: nothing of the key's text stays in memory. */
function standingOf(record: KeyRecord, digest: string): Standing {
  if (record.revokedAt !== undefined) return { kind: 'refused' }
  const untilMs = untilOf(record, digest)
  if (untilMs === undefined) return { kind: 'refused' }
  const { tenantId, keyId, scopes, aliases, limits, budgets } = record
  const principal = { kind: 'key' as const, keyId }
  const caller = { tenantId, callerId: keyId, principal, role: undefined, scopes, aliases, limits, budgets }
  return { kind: 'valid', untilMs, caller }
}

/** Until when a key of this digest opens the record; undefined for one that is neither the current nor a replaced one. */
function untilOf({ digest: current, previous, expiresAt = Infinity }: KeyRecord, digest: string): number | undefined {
  if (sameText(current, digest)) return expiresAt
  const older = previous.find((replaced) => sameText(replaced.digest, digest))
  return older && Math.min(older.validUntil, expiresAt)
}
