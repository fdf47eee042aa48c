import type { WriteResult } from '../storage/partition-table'
import type { TenantData, TenantDataTable } from '../storage/tenant-data'
import type { TenantScope } from '../storage/tenant-scope'
import type { Sealer } from './sealer'

/** JSON values of a tenant, sealed, in its own place, by id. Ids are lower-case letters, digits, hyphens and underscores. */
export interface SealedRecords {
  get<T>(scope: TenantScope, id: string): Promise<{ readonly value: T; readonly etag: string } | undefined>
  /** Writes whatever is there. */
  put<T>(scope: TenantScope, id: string, value: T): Promise<void>
  putIfAbsent<T>(scope: TenantScope, id: string, value: T): Promise<WriteResult>
  /** `lost-race` when the record has changed since `etag`, or is gone. */
  replace<T>(scope: TenantScope, id: string, value: T, etag: string): Promise<WriteResult>
  /** A missing one is no error. */
  remove(scope: TenantScope, id: string): Promise<void>
  /** Ids that begin with `prefix`, in their order. */
  ids(scope: TenantScope, prefix: string): AsyncIterable<string>
}

const TABLE: TenantDataTable = 'content'
const ID = /^[a-z0-9_-]{1,200}$/
/** A binary property holds 64 KiB (azure-facts §7); the rest is the seal's own. */
export const SEALED_RECORD_BYTES_MAX = 60_000

export function createSealedRecords({ data, sealer }: { data: TenantData; sealer: Sealer }): SealedRecords {
  const rowsOf = (scope: TenantScope) => data.table(scope, TABLE)
  const columnsOf = async (scope: TenantScope, id: string, value: unknown) => {
    if (!ID.test(id)) throw new RangeError(`"${id}" is no id of a sealed record`)
    const plain = Buffer.from(JSON.stringify(value))
    if (plain.length > SEALED_RECORD_BYTES_MAX)
      throw new RangeError(`${plain.length} bytes are too many for one record; ${SEALED_RECORD_BYTES_MAX} is the most`)
    return { sealed: await sealer.seal(scope, recordIdOf(id), plain) }
  }

  return {
    get: async <T>(scope: TenantScope, id: string) => {
      const row = await (await rowsOf(scope)).get(id)
      const sealed = row?.columns['sealed']
      if (!row || !(sealed instanceof Uint8Array)) return undefined
      const plain = await sealer.open(scope, recordIdOf(id), sealed)
      return { value: JSON.parse(plain.toString()) as T, etag: row.etag }
    },
    put: async (scope, id, value) => (await rowsOf(scope)).put(id, await columnsOf(scope, id, value)),
    putIfAbsent: async (scope, id, value) => (await rowsOf(scope)).insert(id, await columnsOf(scope, id, value)),
    replace: async (scope, id, value, etag) =>
      (await rowsOf(scope)).replace(id, await columnsOf(scope, id, value), etag),
    remove: async (scope, id) => (await rowsOf(scope)).remove(id),
    async *ids(scope, prefix) {
      for await (const { rowKey } of (await rowsOf(scope)).range(prefix, `${prefix}~`)) yield rowKey
    },
  }
}

/** What the seal is bound to: the same in whatever place the tenant's data lies. */
export const recordIdOf = (id: string) => `${TABLE}/${id}`
