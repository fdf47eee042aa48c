import { createHmac } from 'node:crypto'
import { sameText } from '../access/api-key'
import type { Clock } from '../base/clock'
import { parseTenantId, type KeyId, type OperationId, type TenantId } from '../base/ids'
import type { SealedRecords } from '../encryption/sealed-records'
import { TenantScope } from '../storage/tenant-scope'
import { onboardingIdOf } from './onboarding-input'

/**
 * Addresses that show a tenant's first API key once. The key lies sealed in the tenant's data until then. The address's
 * secret is made from the installation's own (`secret`) and the onboarding, so a made-up one costs no storage read, a
 * repeated step gives the same one, and no history holds it before the tenant is active.
 */
export interface CredentialLinks {
  put(scope: TenantScope, operationId: string, credential: FirstCredential): Promise<void>
  has(scope: TenantScope, operationId: string): Promise<boolean>
  /** Lets the link be used from now on, for `LINK_VALID_MS`; its token. */
  open(scope: TenantScope, operationId: string): Promise<string>
  take(token: string): Promise<TakenCredential>
  remove(scope: TenantScope, operationId: string): Promise<void>
}

export interface FirstCredential {
  readonly keyId: KeyId
  readonly apiKey: string
}

export type TakenCredential =
  | { readonly kind: 'taken'; readonly tenantId: TenantId; readonly credential: FirstCredential }
  /** Used, expired or removed. */
  | { readonly kind: 'gone' }
  /** Never was a link. */
  | { readonly kind: 'unknown' }

export const LINK_VALID_MS = 72 * 3_600_000

/** What is stored, sealed. Once taken, the key is gone from it. */
interface StoredLink {
  readonly credential?: FirstCredential | undefined
  readonly opensUntil?: number | undefined
}

const TOKEN = /^crd_([0-9a-hjkmnp-tv-z]{26})_([\w-]{43})$/

export function createCredentialLinks({
  records,
  clock,
  secret,
}: {
  records: SealedRecords
  clock: Clock
  secret: string
}): CredentialLinks {
  const secretOf = (operationId: string) =>
    createHmac('sha256', secret).update(`credential-link\n${operationId}`).digest('base64url')
  const recordId = (operationId: string) => `credential-link-${operationId}`
  const stored = (scope: TenantScope, operationId: string) => records.get<StoredLink>(scope, recordId(operationId))

  return {
    put: async (scope, operationId, credential) => {
      await records.put<StoredLink>(scope, recordId(operationId), { credential })
    },
    has: async (scope, operationId) => (await stored(scope, operationId)) !== undefined,
    open: async (scope, operationId) => {
      const found = await stored(scope, operationId)
      // A step that is repeated after somebody was quick to use the link must not open it again.
      if (found?.value.credential && found.value.opensUntil === undefined) {
        const opened = { ...found.value, opensUntil: clock.now() + LINK_VALID_MS }
        await records.replace<StoredLink>(scope, recordId(operationId), opened, found.etag)
      }
      return `crd_${operationId.slice(-26)}_${secretOf(operationId)}`
    },
    take: async (token) => {
      const [, body = '', given = ''] = TOKEN.exec(token) ?? []
      const tenantId = parseTenantId(`ten_${body}`)
      if (!tenantId) return { kind: 'unknown' }
      const operationId: OperationId = onboardingIdOf(tenantId)
      if (!sameText(secretOf(operationId), given)) return { kind: 'unknown' }
      const scope = TenantScope.ofPlatform(tenantId)
      const found = await stored(scope, operationId).catch(nothing)
      const { credential, opensUntil = 0 } = found?.value ?? {}
      if (!found || !credential || opensUntil <= clock.now()) return { kind: 'gone' }
      const result = await records.replace<StoredLink>(scope, recordId(operationId), { opensUntil }, found.etag)
      return result.kind === 'written' ? { kind: 'taken', tenantId, credential } : { kind: 'gone' }
    },
    remove: (scope, operationId) => records.remove(scope, recordId(operationId)),
  }
}

/** Of a tenant whose data key is destroyed nothing can be read. */
const nothing = () => undefined
