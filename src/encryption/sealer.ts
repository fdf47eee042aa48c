import type { TenantScope } from '../storage/tenant-scope'

/**
 * Content at rest (I18): AES-256-GCM under the tenant's data key, bound to the tenant's id and the record's id, so that
 * bytes that are moved to another tenant or record do not open.
 */
export interface Sealer {
  /** `recordId` names the record for good: `content/{row key}`, `exports/{operation}`. At most 64 MiB of plain bytes. */
  seal(scope: TenantScope, recordId: string, plain: Uint8Array): Promise<Buffer>
  /** Throws `SealError` when the bytes were changed, moved or cut, or the tenant's key is destroyed. */
  open(scope: TenantScope, recordId: string, sealed: Uint8Array): Promise<Buffer>
}

export class SealError extends Error {
  readonly kind: 'no-key' | 'does-not-open' | 'malformed'
  constructor(kind: SealError['kind'], message: string) {
    super(message)
    this.name = 'SealError'
    this.kind = kind
  }
}

/** The life of a tenant's data key. Each version is 32 random bytes, stored only wrapped. */
export interface TenantKeyring {
  /** Makes the first version; does nothing when there is one. */
  create(scope: TenantScope): Promise<void>
  /**
   * Makes a new version, with which everything is sealed on every instance after `KEYS_KNOWN_EVERYWHERE_MS`; older ones still
   * open. Its number; the same again for the same operation. Rejects with `no-key` where the tenant has none to follow.
   */
  addVersion(scope: TenantScope, madeFor: string): Promise<number>
  /** Wraps every version anew under the wrapping key's current version. Nothing that is sealed changes. */
  rewrap(scope: TenantScope): Promise<void>
  /** Forgets every version before `than`: what is still sealed with one of them is lost. */
  retireOlder(scope: TenantScope, than: number): Promise<void>
  /** The deletion (I18): nothing of the tenant opens any more, on any instance, within 30 s. */
  destroy(scope: TenantScope): Promise<void>
  versions(scope: TenantScope): Promise<readonly KeyVersion[]>
}

export interface KeyVersion {
  readonly version: number
  readonly wrappedBy: string
  /** Unix milliseconds. */
  readonly madeAt: number
  /** The operation that asked for it; undefined for a tenant's first. */
  readonly madeFor: string | undefined
}
