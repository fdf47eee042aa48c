import { odata, type TableClient, type TableEntity, type TransactionAction } from '@azure/data-tables'
import { assert } from '../base/assert'
import { storageStatus } from './connect'
import { checkRowVersion, ROW_VERSION, rowVersionOf } from './row-versions'

export type Columns = Record<string, string | number | boolean | bigint | Uint8Array | Date | null | undefined>

/** A row with the tag by which a later change proves that nobody else changed it in between. */
export interface Row<C extends Columns> {
  readonly rowKey: string
  readonly etag: string
  readonly columns: C
}

export type WriteResult = { readonly kind: 'written'; readonly etag: string } | { readonly kind: 'lost-race' }

/** One row's part in a change of several. */
export type RowChange<C extends Columns> =
  | { readonly kind: 'insert'; readonly rowKey: string; readonly columns: C }
  | { readonly kind: 'replace'; readonly rowKey: string; readonly columns: C; readonly etag: string }
  /** Whatever is there. */
  | { readonly kind: 'put'; readonly rowKey: string; readonly columns: C }
  /** The row must be there. */
  | { readonly kind: 'remove'; readonly rowKey: string }

/** One that leaves a row. */
export type RowWrite<C extends Columns> = Exclude<RowChange<C>, { readonly kind: 'remove' }>

export type ChangesResult =
  /** The new tags, in the order of the changes; empty for a row that was removed. */
  { readonly kind: 'written'; readonly etags: readonly string[] } | { readonly kind: 'lost-race' }

/** Of an entity-group transaction, which also takes at most 4 MiB. */
export const changesMax = 100

/** The rows of one partition. A row that a newer release has laid out otherwise is refused when it is read (row-versions.ts). */
export interface PartitionTable<C extends Columns> {
  get(rowKey: string): Promise<Row<C> | undefined>
  /** `lost-race` when the row exists. */
  insert(rowKey: string, columns: C): Promise<WriteResult>
  /** `lost-race` when the row has changed since `etag`, or is gone. */
  replace(rowKey: string, columns: C, etag: string): Promise<WriteResult>
  /** All changes or none, up to `changesMax`; `lost-race` when any of the rows is not as its change expects. */
  change(changes: readonly RowChange<C>[]): Promise<ChangesResult>
  /** Writes whatever is there. */
  put(rowKey: string, columns: C): Promise<void>
  /** A missing row is no error, nor, where an `etag` is given, one that has changed since: that stays. */
  remove(rowKey: string, etag?: string): Promise<void>
  /** Every row of the partition; how many there were. Rows written meanwhile may stay. */
  removeAll(): Promise<number>
  /** Every row with `from` ≤ row key < `to`, in the same way. */
  removeRange(from: string, to: string): Promise<number>
  /**
   * Rows with `from` ≤ row key < `to`, in key order, read page by page as they are consumed; with these columns alone, where some
   * are named.
   */
  range(from: string, to: string, only?: readonly string[]): AsyncIterable<Row<C>>
}

/** Whoever aborts `signal` no longer knows whether the operation under way was done. */
export function partitionTable<C extends Columns>(
  table: TableClient,
  partitionKey: string,
  signal?: AbortSignal,
): PartitionTable<C> {
  const options: OperationOptions = signal ? { abortSignal: signal } : {}
  const { writes } = rowVersionOf(table)
  const version = writes > 1 ? { [ROW_VERSION]: writes } : {}
  // A row that is copied as it is keeps its own.
  const entityOf = (rowKey: string, columns: C) =>
    ({ partitionKey, rowKey, ...version, ...columns }) as TableEntity<object>
  const blind = (rowKey: string, columns: C) => {
    const tells = writes === 1 || columns[ROW_VERSION] !== undefined
    assert(tells, 'what is written whatever is there could overwrite a newer layout: that takes a table of its own')
    return entityOf(rowKey, columns)
  }

  return {
    get: async (rowKey) => {
      try {
        return rowOf<C>(table, await table.getEntity(partitionKey, rowKey, options))
      } catch (error) {
        if (storageStatus(error) === 404) return undefined
        throw error
      }
    },
    insert: (rowKey, columns) =>
      writing([409], async () => (await table.createEntity(entityOf(rowKey, columns), options)).etag),
    replace: (rowKey, columns, etag) =>
      writing([412, 404], async () => {
        const updated = await table.updateEntity(entityOf(rowKey, columns), 'Replace', { ...options, etag })
        return updated.etag
      }),
    change: async (changes) => {
      assert(changes.length > 0 && changes.length <= changesMax, 'a transaction has 1 to 100 changes')
      const actions = changes.map((change): TransactionAction => {
        if (change.kind === 'remove') return ['delete', { partitionKey, rowKey: change.rowKey }]
        if (change.kind === 'put') return ['upsert', blind(change.rowKey, change.columns), 'Replace']
        const entity = entityOf(change.rowKey, change.columns)
        return change.kind === 'insert' ? ['create', entity] : ['update', entity, 'Replace', { etag: change.etag }]
      })
      return transact(table, actions, options)
    },
    put: async (rowKey, columns) => {
      await table.upsertEntity(blind(rowKey, columns), 'Replace', options)
    },
    remove: (rowKey, etag) =>
      removeRow(table, { partitionKey, rowKey, options: etag === undefined ? options : { ...options, etag } }),
    removeAll: () => removeRows(table, partitionKey, odata`PartitionKey eq ${partitionKey}`),
    removeRange: (from, to) => removeRows(table, partitionKey, between({ partitionKey, from, to })),
    range: (from, to, only) => rowsBetween<C>(table, { partitionKey, from, to, only }),
  }
}

interface OperationOptions {
  readonly abortSignal?: AbortSignal
  readonly etag?: string
}

/** What a transaction is refused with where a row exists, is gone, or has changed. */
const RACES: readonly number[] = [404, 409, 412]

async function writing(racing: readonly number[], write: () => Promise<string | undefined>): Promise<WriteResult> {
  try {
    return { kind: 'written', etag: (await write()) ?? '' }
  } catch (error) {
    const status = storageStatus(error)
    if (status !== undefined && racing.includes(status)) return { kind: 'lost-race' }
    throw error
  }
}

async function transact(
  table: TableClient,
  actions: TransactionAction[],
  options: OperationOptions = {},
): Promise<ChangesResult> {
  try {
    const { subResponses } = await table.submitTransaction(actions, options)
    return { kind: 'written', etags: subResponses.map(({ etag }) => etag ?? '') }
  } catch (error) {
    if (RACES.includes(storageStatus(error) ?? 0)) return { kind: 'lost-race' }
    throw error
  }
}

async function removeRow(
  table: TableClient,
  { partitionKey, rowKey, options = {} }: { partitionKey: string; rowKey: string; options?: OperationOptions },
): Promise<void> {
  await writing([404, 412], async () => {
    await table.deleteEntity(partitionKey, rowKey, options)
    return undefined
  })
}

async function removeRows(table: TableClient, partitionKey: string, filter: string): Promise<number> {
  const entities = table.listEntities({ queryOptions: { filter, select: ['PartitionKey', 'RowKey'] } })
  let removed = 0
  for await (const page of entities.byPage({ maxPageSize: changesMax })) {
    const rowKeys = page.flatMap(({ rowKey }) => rowKey ?? [])
    if (rowKeys.length > 0) await removeTogether(table, partitionKey, rowKeys)
    removed += rowKeys.length
  }
  return removed
}

/** In one transaction, which fails whole where another remover was faster with one of its rows: then one by one. */
async function removeTogether(table: TableClient, partitionKey: string, rowKeys: readonly string[]): Promise<void> {
  const removals = rowKeys.map((rowKey): TransactionAction => ['delete', { partitionKey, rowKey }])
  const { kind } = await transact(table, removals)
  if (kind === 'lost-race') await Promise.all(rowKeys.map((rowKey) => removeRow(table, { partitionKey, rowKey })))
}

const between = ({ partitionKey, from, to }: { partitionKey: string; from: string; to: string }) =>
  odata`PartitionKey eq ${partitionKey} and RowKey ge ${from} and RowKey lt ${to}`

async function* rowsBetween<C extends Columns>(
  table: TableClient,
  {
    partitionKey,
    from,
    to,
    only,
  }: { partitionKey: string; from: string; to: string; only: readonly string[] | undefined },
) {
  const filter = between({ partitionKey, from, to })
  // The tag is made of the time of the last change, which comes only where it is asked for.
  const select = only && { select: ['PartitionKey', 'RowKey', 'Timestamp', ROW_VERSION, ...only] }
  for await (const entity of table.listEntities({ queryOptions: { filter, ...select } })) yield rowOf<C>(table, entity)
}

function rowOf<C extends Columns>(table: TableClient, entity: object): Row<C> {
  const { partitionKey, rowKey, etag, timestamp, 'odata.metadata': metadata, ...columns } = entity as SystemColumns
  checkRowVersion(table, columns)
  return { rowKey, etag, columns: columns as C }
}

interface SystemColumns extends Columns {
  partitionKey: string
  rowKey: string
  etag: string
  timestamp?: string
  'odata.metadata'?: string
}
