import type { Clock } from '../base/clock'
import type { KeyId } from '../base/ids'
import { Problem, type FieldError } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import { mergeBudgets } from '../tenants/budget'
import { checkKeyBounds } from '../tenants/check-record'
import { mergeLimits } from '../tenants/edit-record'
import type { Tenants } from '../tenants/tenants'
import { digestOf, type ApiKeys } from './api-key'
import type { KeyInput } from './key-input'
import { keyState, type KeyRecord, type KeyReference } from './key-record'
import type { KeyStore } from './key-store'

/** A tenant's API keys. Only `create` and `rotate` ever give the key itself, and only in their result. */
export interface Keys {
  /** Under an id that the caller chose, so that a repeated creation replaces its own first attempt. */
  create(scope: TenantScope, keyId: KeyId, input: KeyInput): Promise<NewKey | Problem>
  /** The oldest first, revoked ones included. At most `KEPT_MAX`. */
  list(scope: TenantScope): Promise<KeyRecord[]>
  /** Puts a new secret under the same id; the replaced one works for `overlapMs` more. */
  rotate(scope: TenantScope, keyId: KeyId, overlapMs: number): Promise<NewKey | Problem>
  /** Refused everywhere within 30 s. A key that is revoked already stays as it is. */
  revoke(scope: TenantScope, keyId: KeyId): Promise<KeyRecord | Problem>
  /** As if there had never been such a key; refused everywhere within 30 s. */
  remove(scope: TenantScope, keyId: KeyId): Promise<void>
  removeAll(scope: TenantScope): Promise<void>
}

export interface NewKey {
  readonly record: KeyRecord
  /** Shown once; the platform does not keep it. */
  readonly apiKey: string
}

export interface KeysDeps {
  readonly store: KeyStore
  readonly apiKeys: ApiKeys
  readonly tenants: Pick<Tenants, 'get'>
  readonly clock: Clock
  /** Told of keys that changed, so that this instance need not wait for its cache. */
  readonly onChange: (changed: KeyReference) => void
}

/** Keys that work, of one tenant. Two creations at once may pass it by one; it bounds a listing and a partition, not a right. */
const ACTIVE_MAX = 100
/** Active, expired and revoked keys. Beyond it the oldest of those that no longer work make room. */
const KEPT_MAX = 300
/** Rotating again during an overlap ends no key that is still within its own, up to so many. */
const PREVIOUS_MAX = 3
const CHANGE_ATTEMPTS_MAX = 5

const noSuchKey = new Problem('not_found', 'There is no such key.')

export function createKeys(deps: KeysDeps): Keys {
  const { store, apiKeys, clock, onChange } = deps

  const change = async (scope: TenantScope, keyId: KeyId, edit: (record: KeyRecord) => KeyRecord | Problem) => {
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const found = await store.get(scope, keyId)
      if (!found) return noSuchKey
      const edited = edit(found.record)
      if (edited instanceof Problem || edited === found.record) return edited
      const result = await store.replace(scope, edited, found.etag)
      if (result.kind === 'lost-race') continue
      for (const digest of digestsOf(found.record)) onChange({ tenantId: scope.tenantId, keyId, digest })
      return edited
    }
    return new Problem('conflict', 'Others are changing this key at the moment. Try again.')
  }

  const remove = async (scope: TenantScope, keyId: KeyId) => {
    const found = await store.get(scope, keyId)
    await store.remove(scope, keyId)
    for (const digest of found ? digestsOf(found.record) : []) onChange({ tenantId: scope.tenantId, keyId, digest })
  }

  return {
    list: (scope) => store.all(scope),
    create: async (scope, keyId, input) => {
      const fault = await faultOf(deps, scope, input)
      if (fault) return fault
      const full = await makeRoom(deps, scope, keyId)
      if (full) return full
      const apiKey = apiKeys.make(scope.tenantId, keyId)
      const record = newRecord({ tenantId: scope.tenantId, keyId, digest: digestOf(apiKey) }, input, clock.now())
      await store.put(scope, record)
      return { record, apiKey }
    },
    rotate: async (scope, keyId, overlapMs) => {
      const apiKey = apiKeys.make(scope.tenantId, keyId)
      const nowMs = clock.now()
      const record = await change(scope, keyId, (current) => {
        const state = keyState(current, nowMs)
        if (state !== 'active') return new Problem('conflict', `The key is ${state}. Create a new one instead.`)
        return rotated(current, { digest: digestOf(apiKey), nowMs, overlapMs })
      })
      return record instanceof Problem ? record : { record, apiKey }
    },
    remove,
    removeAll: async (scope) => {
      for (const { keyId } of await store.all(scope)) await remove(scope, keyId)
    },
    revoke: (scope, keyId) =>
      change(scope, keyId, (record) =>
        record.revokedAt === undefined ? { ...record, revokedAt: clock.now(), previous: [] } : record,
      ),
  }
}

function newRecord(reference: KeyReference, input: KeyInput, nowMs: number): KeyRecord {
  const { name, scopes, aliases, expiresAt } = input
  const limits = input.limits && mergeLimits({}, input.limits)
  const budgets = input.budgets && mergeBudgets({}, input.budgets)
  return { ...reference, name, scopes, aliases, limits, budgets, expiresAt, createdAt: nowMs, previous: [] }
}

function rotated(
  record: KeyRecord,
  { digest, nowMs, overlapMs }: { digest: string; nowMs: number; overlapMs: number },
): KeyRecord {
  const previous = [{ digest: record.digest, validUntil: nowMs + overlapMs }, ...record.previous]
    .filter(({ validUntil }) => validUntil > nowMs)
    .slice(0, PREVIOUS_MAX)
  return { ...record, digest, previous, rotatedAt: nowMs }
}

const digestsOf = ({ digest, previous }: KeyRecord) => [digest, ...previous.map((older) => older.digest)]

/** All that is wrong at once, as with a tenant's record. */
async function faultOf({ tenants, clock }: KeysDeps, scope: TenantScope, input: KeyInput) {
  const errors: FieldError[] = []
  if (input.expiresAt !== undefined && input.expiresAt <= clock.now())
    errors.push({ path: 'expiresAt', message: 'Must be in the future' })
  if (input.aliases ?? input.limits ?? input.budgets) {
    const tenant = await tenants.get(scope)
    errors.push(...unknownAliases(input.aliases ?? [], tenant?.aliases.map(({ name }) => name) ?? []))
    if (tenant) errors.push(...checkKeyBounds(input, tenant.tier))
  }
  const [first] = errors
  return first && new Problem('invalid_request', `${first.path}: ${first.message}`, { param: first.path, errors })
}

function unknownAliases(named: readonly string[], known: readonly string[]): FieldError[] {
  return named.flatMap((name, index) => {
    if (known.includes(name)) return []
    const message = `"${name}" is not an alias of this tenant. It has: ${known.join(', ') || 'none'}`
    return [{ path: `aliases.${index}`, message }]
  })
}

async function makeRoom({ store, clock }: KeysDeps, scope: TenantScope, keyId: KeyId): Promise<Problem | undefined> {
  const others = (await store.all(scope)).filter((record) => record.keyId !== keyId)
  const ended = others.filter((record) => keyState(record, clock.now()) !== 'active')
  if (others.length - ended.length >= ACTIVE_MAX)
    return new Problem('conflict', `A tenant has at most ${ACTIVE_MAX} keys that work. Revoke one first.`)
  for (const record of ended.slice(0, Math.max(0, others.length + 1 - KEPT_MAX)))
    await store.remove(scope, record.keyId)
  return undefined
}
