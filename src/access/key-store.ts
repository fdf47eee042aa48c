import type { KeyId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable, WriteResult } from '../storage/tenant-table'
import type { KeyRecord } from './key-record'

/** Rows of the table `keys`: partition = tenant, row = key id. */
export interface KeyStore {
  get(scope: TenantScope, keyId: KeyId): Promise<{ record: KeyRecord; etag: string } | undefined>
  put(scope: TenantScope, record: KeyRecord): Promise<void>
  replace(scope: TenantScope, record: KeyRecord, etag: string): Promise<WriteResult>
  remove(scope: TenantScope, keyId: KeyId): Promise<void>
  /** The oldest first. */
  all(scope: TenantScope): Promise<KeyRecord[]>
}

export const keyStorage = { tables: ['keys'] } as const

const FIRST = 'key_'
/** Above every id, whose characters are lower-case letters and digits. */
const END = 'key_~'

export function createKeyStore(table: TenantTable<Columns>): KeyStore {
  return {
    get: async (scope, keyId) => {
      const row = await table.get(scope, keyId)
      return row && { record: fromJsonColumns<KeyRecord>(row.columns), etag: row.etag }
    },
    put: (scope, record) => table.put(scope, record.keyId, toJsonColumns(record)),
    replace: (scope, record, etag) => table.replace(scope, record.keyId, toJsonColumns(record), etag),
    remove: (scope, keyId) => table.remove(scope, keyId),
    all: async (scope) => {
      const records: KeyRecord[] = []
      for await (const { columns } of table.range(scope, FIRST, END)) records.push(fromJsonColumns<KeyRecord>(columns))
      return records
    },
  }
}
