import { hash } from 'node:crypto'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { createStaleCache } from '../base/stale-cache'
import { describeError, type Log } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantId } from '../base/ids'
import type { WrappingKey } from '../base/wrapping-key'
import { SealError, type TenantKeyring } from './sealer'

/** What sealing needs of a tenant's data keys. */
export interface TenantKeys {
  /** The newest; rejects with `no-key` where the tenant has none. */
  newest(scope: TenantScope): Promise<DataKey>
  version(scope: TenantScope, version: number): Promise<DataKey>
}

export interface DataKey {
  readonly version: number
  readonly key: Buffer
}

export const dataKeyStorage = { tables: ['datakeys'] } as const

const KEY_BYTES = 32
/** A destroyed key is forgotten by every instance within `STALE_MS` and the read itself: 30 s. */
const FRESH_MS = 5_000
const STALE_MS = 25_000
const TENANTS_MAX = 2_000
/** Unwrapped keys kept, so that reading a tenant's rows again does not ask the key vault again. */
const UNWRAPPED_MAX = 4_000
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
  const unwrapped = createUnwrapper(wrappingKey)
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
      return Promise.all(rows.map(async ({ version, columns }) => ({ version, key: await unwrapped(columns) })))
    },
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    entriesMax: TENANTS_MAX,
    onError: (error) => log.warn('data keys could not be read again', { error: describeError(error) }),
  })
  const find = async ({ tenantId }: TenantScope, pick: (keys: readonly DataKey[]) => DataKey | undefined) => {
    // A version that another instance has just made is not in what this one remembers.
    const found = pick(await known.get(tenantId)) ?? (known.forget(tenantId), pick(await known.get(tenantId)))
    if (!found) throw new SealError('no-key', 'the tenant has no such data key')
    return found
  }
  const addVersion = async (scope: TenantScope) => {
    for (let attempt = 0; attempt < ADD_ATTEMPTS_MAX; attempt++) {
      const version = ((await rowsOf(scope)).at(-1)?.version ?? 0) + 1
      const { wrapped, by } = await wrappingKey.wrap(chance.bytes(KEY_BYTES))
      const result = await table.insert(scope, rowKeyOf(version), { wrapped, wrappedBy: by, madeAt: clock.now() })
      known.forget(scope.tenantId)
      if (result.kind === 'written') return version
    }
    throw new Error('others are adding data keys of this tenant at the moment')
  }

  return {
    newest: (scope) => find(scope, (keys) => keys.at(-1)),
    version: (scope, version) => find(scope, (keys) => keys.find((key) => key.version === version)),
    addVersion,
    create: async (scope) => {
      if ((await rowsOf(scope)).length > 0) return
      const { wrapped, by } = await wrappingKey.wrap(chance.bytes(KEY_BYTES))
      // Whoever else creates it at the same moment makes this one lose, and its key is the tenant's.
      await table.insert(scope, rowKeyOf(1), { wrapped, wrappedBy: by, madeAt: clock.now() })
      known.forget(scope.tenantId)
    },
    rewrap: async (scope) => {
      for (const { version, etag, columns } of await rowsOf(scope)) {
        const { wrapped, by } = await wrappingKey.wrap(await unwrapped(columns))
        await table.replace(scope, rowKeyOf(version), { ...columns, wrapped, wrappedBy: by }, etag)
      }
      known.forget(scope.tenantId)
    },
    retireOlder: async (scope) => {
      for (const { version } of (await rowsOf(scope)).slice(0, -1)) await table.remove(scope, rowKeyOf(version))
      known.forget(scope.tenantId)
    },
    destroy: async (scope) => {
      await table.removeAll(scope)
      known.forget(scope.tenantId)
    },
    versions: async (scope) =>
      (await rowsOf(scope)).map(({ version, columns }) => ({
        version,
        wrappedBy: columns.wrappedBy,
        madeAt: columns.madeAt,
      })),
  }
}

/** Remembers what was unwrapped by the digest of its wrapping; the oldest leave first and are overwritten. */
function createUnwrapper(wrappingKey: WrappingKey): (columns: KeyColumns) => Promise<Buffer> {
  const kept = new Map<string, Buffer>()
  return async ({ wrapped, wrappedBy }) => {
    const digest = hash('sha256', wrapped, 'base64url')
    const known = kept.get(digest)
    if (known) return known
    const key = Buffer.from(await wrappingKey.unwrap(wrapped, wrappedBy))
    kept.set(digest, key)
    if (kept.size > UNWRAPPED_MAX) {
      const [oldest] = kept
      if (oldest) kept.delete(oldest[0])
    }
    return key
  }
}
