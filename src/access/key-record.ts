import type { KeyId, TenantId } from '../base/ids'
import type { Limits } from '../tenants/snapshot'
import type { Scope } from './caller'

/** One key among all that a tenant's key id has had or will have: rotation changes the digest only. */
export interface KeyReference {
  readonly tenantId: TenantId
  readonly keyId: KeyId
  /** SHA-256 of the whole key, base64url: the only form in which a key is stored or cached. */
  readonly digest: string
}

/** What is stored of an API key: everything but the key. Times are Unix milliseconds. */
export interface KeyRecord extends KeyReference {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** The aliases it may use; absent means all of the tenant's. */
  readonly aliases?: readonly string[] | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly createdAt: number
  readonly expiresAt?: number | undefined
  readonly revokedAt?: number | undefined
  readonly rotatedAt?: number | undefined
  /** Keys that rotation replaced, each valid until its overlap ends. The newest first. */
  readonly previous: readonly PreviousDigest[]
}

export interface PreviousDigest {
  readonly digest: string
  readonly validUntil: number
}

export type KeyState = 'active' | 'expired' | 'revoked'

export function keyState({ revokedAt, expiresAt }: KeyRecord, nowMs: number): KeyState {
  if (revokedAt !== undefined) return 'revoked'
  return expiresAt !== undefined && expiresAt <= nowMs ? 'expired' : 'active'
}

/** A key as its tenant's administrators and operators see it. */
export function keyView(record: KeyRecord, nowMs: number) {
  const { keyId, name, scopes, aliases, limits, createdAt, expiresAt, revokedAt, rotatedAt } = record
  return {
    keyId,
    name,
    state: keyState(record, nowMs),
    scopes,
    aliases,
    limits,
    createdAt: isoTime(createdAt),
    expiresAt: expiresAt === undefined ? undefined : isoTime(expiresAt),
    revokedAt: revokedAt === undefined ? undefined : isoTime(revokedAt),
    rotatedAt: rotatedAt === undefined ? undefined : isoTime(rotatedAt),
    /** How long the newest of the replaced keys still works. */
    previousValidUntil: record.previous[0] && isoTime(record.previous[0].validUntil),
  }
}

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
