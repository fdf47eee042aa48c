import { encodeTime, type ResponseId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import {
  changesMax,
  type Columns,
  type PartitionTable,
  type RowChange,
  type RowWrite,
} from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import type { ItemRecord, ResponseRecord } from './response-record'

/** Rows of responses and of the items that they consist of, in the tenant's partition. */
export interface ResponseStore {
  get(scope: TenantScope, id: ResponseId): Promise<ResponseRecord | undefined>
  /** The item of an account's id, if it is the tenant's. */
  item(scope: TenantScope, itemId: string): Promise<ItemRecord | undefined>
  /** With its items. */
  add(scope: TenantScope, record: ResponseRecord): Promise<void>
  /** By compare-and-swap; what `edit` returns unchanged is not written. With the items that it has more. Undefined where it is gone. */
  change(
    scope: TenantScope,
    id: ResponseId,
    edit: (record: ResponseRecord) => ResponseRecord,
  ): Promise<ResponseRecord | undefined>
  remove(scope: TenantScope, record: ResponseRecord): Promise<void>
  /** In the order in which they were made. */
  all(scope: TenantScope): AsyncIterable<ResponseRecord>
  /** Made before that time, Unix milliseconds; at most so many. */
  madeBefore(scope: TenantScope, timeMs: number, recordsMax: number): Promise<ResponseRecord[]>
  removeAll(scope: TenantScope): Promise<number>
}

const FIRST = 'resp_'
const END = 'resp_~'
const ITEM = 'item-'
/** Of an account's item; one of another form is not kept, and so never proven. */
const ITEM_ID = /^[A-Za-z0-9_-]{1,200}$/
const ITEMS_MAX = 1_000
const CHANGE_ATTEMPTS_MAX = 10

export function createResponseStore(rows: TenantTable<Columns>): ResponseStore {
  const read = async (scope: TenantScope, id: ResponseId) => {
    const row = await rows.get(scope, id)
    return row && { record: fromJsonColumns<ResponseRecord>(row.columns), etag: row.etag }
  }
  /** One transaction for the response and most of its items. */
  const write = async (scope: TenantScope, first: RowChange<Columns>, items: readonly RowWrite<Columns>[]) => {
    const table = rows.partition(scope)
    const result = await table.change([first, ...items.slice(0, changesMax - 1)])
    for (let at = changesMax - 1; at < items.length; at += changesMax)
      await putItems(table, items.slice(at, at + changesMax))
    return result
  }

  return {
    get: async (scope, id) => (await read(scope, id))?.record,
    item: async (scope, itemId) => {
      const row = ITEM_ID.test(itemId) ? await rows.get(scope, ITEM + itemId) : undefined
      return row && fromJsonColumns<ItemRecord>(row.columns)
    },
    add: async (scope, record) => {
      const first: RowChange<Columns> = { kind: 'insert', rowKey: record.id, columns: toJsonColumns(record) }
      const items = itemRows(record, record.itemIds)
      const result = await write(scope, first, items)
      if (result.kind === 'written') return
      // An account that gives an id twice: the later item has it.
      const table = rows.partition(scope)
      await table.put(record.id, first.columns)
      await putItems(table, items)
    },
    change: async (scope, id, edit) => {
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
        const stored = await read(scope, id)
        if (!stored) return undefined
        const { record: before, etag } = stored
        const record = edit(before)
        if (record === before) return before
        const items = itemRows(
          record,
          record.itemIds.filter((itemId) => !before.itemIds.includes(itemId)),
        )
        const first: RowChange<Columns> = { kind: 'replace', rowKey: id, columns: toJsonColumns(record), etag }
        if ((await write(scope, first, items)).kind === 'written') return record
        // Either somebody else has changed it, or an item's id is there already.
        await putItems(rows.partition(scope), items)
        const alone = await rows.replace(scope, id, first.columns, etag)
        if (alone.kind === 'written') return record
      }
      throw new Error('others are changing a response at the moment')
    },
    remove: async (scope, record) => {
      await Promise.all(kept(record.itemIds).map((itemId) => rows.remove(scope, ITEM + itemId)))
      await rows.remove(scope, record.id)
    },
    all: (scope) => records(rows.range(scope, FIRST, END)),
    madeBefore: async (scope, timeMs, recordsMax) => {
      const found: ResponseRecord[] = []
      for await (const record of records(rows.range(scope, FIRST, `${FIRST}${encodeTime(timeMs)}`))) {
        found.push(record)
        if (found.length >= recordsMax) break
      }
      return found
    },
    removeAll: (scope) => rows.removeAll(scope),
  }
}

const kept = (itemIds: readonly string[]) => itemIds.filter((itemId) => ITEM_ID.test(itemId)).slice(0, ITEMS_MAX)

function itemRows(record: ResponseRecord, itemIds: readonly string[]): RowWrite<Columns>[] {
  const { id: responseId, holder, alias, expiresAt } = record
  const columns = toJsonColumns({ responseId, holder, alias, expiresAt } satisfies ItemRecord)
  return [...new Set(kept(itemIds))].map((itemId) => ({ kind: 'insert', rowKey: ITEM + itemId, columns }))
}

async function putItems(table: PartitionTable<Columns>, items: readonly RowWrite<Columns>[]): Promise<void> {
  await Promise.all(items.map(({ rowKey, columns }) => table.put(rowKey, columns)))
}

async function* records(rows: AsyncIterable<{ readonly columns: Columns }>): AsyncGenerator<ResponseRecord> {
  for await (const { columns } of rows) yield fromJsonColumns<ResponseRecord>(columns)
}
