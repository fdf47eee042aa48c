import { counterpartOf, type BatchId } from '../base/ids'
import type { SealedRecords } from '../encryption/sealed-records'
import type { Metadata } from '../inference/read-metadata'
import { changeRow } from '../storage/change-row'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { BatchRecord } from './batch-record'

/** A tenant's batches. Changed by compare-and-swap only, since its steps and its owner's requests meet there. */
export interface BatchStore {
  insert(scope: TenantScope, record: BatchRecord, metadata: Metadata | undefined): Promise<void>
  get(scope: TenantScope, id: BatchId): Promise<BatchRecord | undefined>
  /** Asks again with what is there whenever somebody was faster; the same record back changes nothing. Undefined for none. */
  change(scope: TenantScope, id: BatchId, edit: (record: BatchRecord) => BatchRecord): Promise<BatchRecord | undefined>
  /** Newest first, those made before `after`; read as they are consumed. */
  list(scope: TenantScope, after?: BatchId): AsyncIterable<BatchRecord>
  metadata(scope: TenantScope, record: BatchRecord): Promise<Metadata | undefined>
  remove(scope: TenantScope, id: BatchId): Promise<void>
}

const TABLE = 'batches'

/** Rows named by `rowKeyOf`. */
export const batchStorage = { tables: [TABLE] } as const

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
  return {
    insert: async (scope, record, metadata) => {
      // First, so that no record says that it has metadata which is not there.
      if (metadata) await records.put(scope, metadataIdOf(record.id), metadata)
      const result = await rows.insert(scope, rowKeyOf(record.id), toJsonColumns(record))
      if (result.kind === 'lost-race') throw new Error(`${record.id} is taken`)
    },
    get: async (scope, id) => {
      const row = await rows.get(scope, rowKeyOf(id))
      return row && fromJsonColumns<BatchRecord>(row.columns)
    },
    change: (scope, id, edit) =>
      changeRow<BatchRecord>(rows.partition(scope), rowKeyOf(id), (before) => before && edit(before)),
    async *list(scope, after) {
      // Keys of one length: what is above a key is above it with anything behind it.
      const from = after === undefined ? FIRST : `${rowKeyOf(after)}0`
      for await (const { columns } of rows.range(scope, from, END)) yield fromJsonColumns<BatchRecord>(columns)
    },
    metadata: async (scope, { id, hasMetadata }) =>
      hasMetadata ? (await records.get<Metadata>(scope, metadataIdOf(id)))?.value : undefined,
    remove: async (scope, id) => {
      await rows.remove(scope, rowKeyOf(id))
      await records.remove(scope, metadataIdOf(id))
    },
  }
}

export const rowKeyOf = (id: BatchId): string => FIRST + counterpartOf(id.slice('batch_'.length))

const metadataIdOf = (id: BatchId) => `metadata-${id}`
