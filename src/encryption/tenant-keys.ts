import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { createStaleCache } from '../base/stale-cache'
import { describeError, type Log } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantId } from '../base/ids'
import type { WrappingKey } from '../base/wrapping-key'
import { SealError, type TenantKeyring } from './sealer'
import { createUnwrappedKeys, type DataKey } from './unwrapped-keys'

/**
 * What sealing needs of a tenant's data keys. `use` gets the key and is done with it when it returns: the key's bytes are
 * overwritten as soon as they are forgotten, and what awaited in between could seal with zeros.
 */
export interface TenantKeys {
  /** With the newest; rejects with `no-key` where the tenant has none. */
  withNewest<T>(scope: TenantScope, use: (key: DataKey) => T): Promise<T>
  withVersion<T>(scope: TenantScope, version: number, use: (key: DataKey) => T): Promise<T>
}

export const dataKeyStorage = { tables: ['datakeys'] } as const

const KEY_BYTES = 32
const FRESH_MS = 5_000
const STALE_MS = 25_000
/**
 * After this a destroyed key is used by no instance any more and a new version by every one: `STALE_MS` and the work that
 * one reading or sealing takes.
 */
export const KEYS_KNOWN_EVERYWHERE_MS = 30_000
const TENANTS_MAX = 2_000
/** Reads of one use: what is remembered, then what is stored, then once more where a key was forgotten in between. */
const READS_MAX = 3
const ADD_ATTEMPTS_MAX = 5

const FIRST = 'v'
const END = 'w'
const rowKeyOf = (version: number) => `${FIRST}${String(version).padStart(6, '0')}`
const versionOf = (rowKey: string) => Number(rowKey.slice(FIRST.length))

interface KeyColumns extends Columns {
  wrapped: Uint8Array
  wrappedBy: string
  /** Unix milliseconds; fits a double of the table. */
  madeAt: number
  /** The operation that asked for it; absent on a tenant's first. */
  madeFor?: string
}

/**
 * A tenant's data keys, one row for each version, wrapped. Invariants:
 * K1 A key is stored only wrapped, and unwrapped it lives in this process's memory alone, for as long as it is in use.
 * K2 Versions only rise; a version's key never changes, only what it is wrapped with.
 */
export function createTenantKeys({
  table,
  wrappingKey,
  clock,
  chance,
  log,
}: {
  table: TenantTable<Columns>
  wrappingKey: WrappingKey
  clock: Clock
  chance: Chance
  log: Log
}): TenantKeys & TenantKeyring {
  const unwrapped = createUnwrappedKeys({ wrappingKey, clock, keptMs: KEYS_KNOWN_EVERYWHERE_MS })
  const rowsOf = async (scope: TenantScope) => {
    const rows: { version: number; etag: string; columns: KeyColumns }[] = []
    for await (const { rowKey, etag, columns } of table.range(scope, FIRST, END))
      rows.push({ version: versionOf(rowKey), etag, columns: columns as KeyColumns })
    return rows
  }
  const known = createStaleCache<TenantId, readonly DataKey[]>({
    clock,
    load: async (tenantId) => {
      const rows = await rowsOf(TenantScope.ofCaller({ tenantId }))
      return Promise.all(rows.map(({ version, columns }) => unwrapped.get(version, columns)))
    },
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    entriesMax: TENANTS_MAX,
    onError: (error) => log.warn('data keys could not be read again', { error: describeError(error) }),
  })
  const using = async <T>(
    { tenantId }: TenantScope,
    pick: (keys: readonly DataKey[]) => DataKey | undefined,
    use: (key: DataKey) => T,
  ) => {
    for (let reads = 0; reads < READS_MAX; reads++) {
      const found = pick(await known.get(tenantId))
      if (found && !found.isForgotten) return use(found)
      // A version that another instance has just made is not in what this one remembers.
      known.forget(tenantId)
    }
    throw new SealError('no-key', 'the tenant has no such data key')
  }
  const insert = async (scope: TenantScope, version: number, madeFor: { madeFor?: string }) => {
    const key = chance.bytes(KEY_BYTES)
    const { wrapped, by } = await wrappingKey.wrap(key)
    key.fill(0)
    const columns: KeyColumns = { wrapped, wrappedBy: by, madeAt: clock.now(), ...madeFor }
    const result = await table.insert(scope, rowKeyOf(version), columns)
    known.forget(scope.tenantId)
    return result
  }

  return {
    withNewest: (scope, use) => using(scope, (keys) => keys.at(-1), use),
    withVersion: (scope, version, use) => using(scope, (keys) => keys.find((key) => key.version === version), use),
    create: async (scope) => {
      // Whoever else creates it at the same moment makes this one lose, and its key is the tenant's.
      if ((await rowsOf(scope)).length === 0) await insert(scope, 1, {})
    },
    addVersion: async (scope, madeFor) => {
      for (let attempt = 0; attempt < ADD_ATTEMPTS_MAX; attempt++) {
        const rows = await rowsOf(scope)
        const made = rows.find(({ columns }) => columns.madeFor === madeFor)
        if (made) return made.version
        const newest = rows.at(-1)
        // A destroyed key does not come back by a rotation that was under way.
        if (!newest) throw new SealError('no-key', 'the tenant has no data key')
        const version = newest.version + 1
        if ((await insert(scope, version, { madeFor })).kind === 'written') return version
      }
      throw new Error('others are adding data keys of this tenant at the moment')
    },
    rewrap: async (scope) => {
      for (const { version, etag, columns } of await rowsOf(scope)) {
        const key = await wrappingKey.unwrap(columns.wrapped, columns.wrappedBy)
        const { wrapped, by } = await wrappingKey.wrap(key)
        key.fill(0)
        await table.replace(scope, rowKeyOf(version), { ...columns, wrapped, wrappedBy: by }, etag)
      }
      known.forget(scope.tenantId)
    },
    retireOlder: async (scope, than) => {
      const rows = await rowsOf(scope)
      if (!rows.some(({ version }) => version >= than))
        throw new SealError('no-key', `the tenant has no version ${than}`)
      for (const { version } of rows) if (version < than) await table.remove(scope, rowKeyOf(version))
      known.forget(scope.tenantId)
    },
    destroy: async (scope) => {
      await table.removeAll(scope)
      known.forget(scope.tenantId)
    },
    versions: async (scope) =>
      (await rowsOf(scope)).map(({ version, columns: { wrappedBy, madeAt, madeFor } }) => ({
        version,
        wrappedBy,
        madeAt,
        madeFor,
      })),
  }
}
