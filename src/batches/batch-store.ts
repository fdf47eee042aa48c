import type { BatchId } from '../base/ids'
import type { SealedRecords } from '../encryption/sealed-records'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { BatchRecord } from './batch-record'

/** A tenant's batches. Changed by compare-and-swap only, since its steps and its owner's requests meet there. */
export interface BatchStore {
  insert(scope: TenantScope, record: BatchRecord, metadata: BatchMetadata | undefined): Promise<void>
  get(scope: TenantScope, id: BatchId): Promise<BatchRecord | undefined>
  /** Asks again with what is there whenever somebody was faster; the same record back changes nothing. Undefined for none. */
  change(scope: TenantScope, id: BatchId, edit: (record: BatchRecord) => BatchRecord): Promise<BatchRecord | undefined>
  /** Newest first, those made before `after`; read as they are consumed. */
  list(scope: TenantScope, after?: BatchId): AsyncIterable<BatchRecord>
  metadata(scope: TenantScope, record: BatchRecord): Promise<BatchMetadata | undefined>
  remove(scope: TenantScope, id: BatchId): Promise<void>
}

export type BatchMetadata = Readonly<Record<string, string>>

const TABLE = 'batches'

/** Rows named by `rowKeyOf`. */
export const batchStorage = { tables: [TABLE] } as const

const CHANGE_ATTEMPTS_MAX = 20
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const FIRST = 'b-'
/** Above every character of a row key. */
const END = 'b-~'

export function createBatchStore({
  rows,
  records,
}: {
  rows: TenantTable<Columns>
  records: Pick<SealedRecords, 'get' | 'put' | 'remove'>
}): BatchStore {
  const read = async (scope: TenantScope, id: BatchId) => {
    const row = await rows.get(scope, rowKeyOf(id))
    return row && { record: fromJsonColumns<BatchRecord>(row.columns), etag: row.etag }
  }
  return {
    insert: async (scope, record, metadata) => {
      // First, so that no record says that it has metadata which is not there.
      if (metadata) await records.put(scope, metadataIdOf(record.id), metadata)
      const result = await rows.insert(scope, rowKeyOf(record.id), toJsonColumns(record))
      if (result.kind === 'lost-race') throw new Error(`${record.id} is taken`)
    },
    get: async (scope, id) => (await read(scope, id))?.record,
    change: async (scope, id, edit) => {
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
        const found = await read(scope, id)
        if (!found) return undefined
        const next = edit(found.record)
        if (next === found.record) return next
        const result = await rows.replace(scope, rowKeyOf(id), toJsonColumns(next), found.etag)
        if (result.kind === 'written') return next
      }
      throw new Error(`others are changing ${id} at the moment`)
    },
    async *list(scope, after) {
      // Keys of one length: what is above a key is above it with anything behind it.
      const from = after === undefined ? FIRST : `${rowKeyOf(after)}0`
      for await (const { columns } of rows.range(scope, from, END)) yield fromJsonColumns<BatchRecord>(columns)
    },
    metadata: async (scope, { id, hasMetadata }) =>
      hasMetadata ? (await records.get<BatchMetadata>(scope, metadataIdOf(id)))?.value : undefined,
    remove: async (scope, id) => {
      await rows.remove(scope, rowKeyOf(id))
      await records.remove(scope, metadataIdOf(id))
    },
  }
}

/** Ids sort by age; their complements, which rows are named by, by youth: so a list begins with the newest. */
export function rowKeyOf(id: BatchId): string {
  let key = FIRST
  for (const character of id.slice('batch_'.length))
    key += ALPHABET.charAt(ALPHABET.length - 1 - ALPHABET.indexOf(character))
  return key
}

const metadataIdOf = (id: BatchId) => `metadata-${id}`
