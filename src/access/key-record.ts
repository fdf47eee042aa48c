import { z } from 'zod'
import type { KeyId, TenantId } from '../base/ids'
import { shownBudgets, type Budgets } from '../tenants/budget'
import type { Limits } from '../tenants/snapshot'
import { scopes, type Scope } from './caller'

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
  readonly budgets?: Budgets | undefined
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

export const shownKey = z
  .object({
    keyId: z.string(),
    name: z.string(),
    state: z.enum(['active', 'expired', 'revoked']),
    scopes: z.array(z.enum(scopes)),
    aliases: z.array(z.string()).optional().meta({ description: 'The aliases it may use; absent means all.' }),
    limits: z
      .object({
        requestsPerMinute: z.int().optional(),
        tokensPerMinute: z.int().optional(),
        concurrentCalls: z.int().optional(),
      })
      .optional(),
    budgets: shownBudgets.optional(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().optional(),
    revokedAt: z.iso.datetime().optional(),
    rotatedAt: z.iso.datetime().optional(),
    previousValidUntil: z.iso
      .datetime()
      .optional()
      .meta({ description: 'How long the newest of the replaced secrets still works.' }),
  })
  .meta({ id: 'Key' })

/** With the key itself, which is in this one answer only. */
export const newKeyShown = shownKey.extend({ apiKey: z.string() }).meta({ id: 'NewKey' })

/** A key as its tenant's administrators and operators see it. */
export function keyView(record: KeyRecord, nowMs: number) {
  const { keyId, name, scopes, aliases, limits, budgets, createdAt, expiresAt, revokedAt, rotatedAt } = record
  return {
    keyId,
    name,
    state: keyState(record, nowMs),
    scopes,
    aliases,
    limits,
    budgets,
    createdAt: isoTime(createdAt),
    expiresAt: expiresAt === undefined ? undefined : isoTime(expiresAt),
    revokedAt: revokedAt === undefined ? undefined : isoTime(revokedAt),
    rotatedAt: rotatedAt === undefined ? undefined : isoTime(rotatedAt),
    /** How long the newest of the replaced keys still works. */
    previousValidUntil: record.previous[0] && isoTime(record.previous[0].validUntil),
  }
}

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
