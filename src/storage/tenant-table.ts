import { odata, type TableClient, type TableEntity } from '@azure/data-tables'
import type { TenantId } from '../base/ids'
import { storageStatus } from './connect'
import type { TenantScope } from './tenant-scope'

export type Columns = Record<string, string | number | boolean | bigint | Uint8Array | Date | null | undefined>

/** A row with the tag by which a later change proves that nobody else changed it in between. */
export interface Row<C extends Columns> {
  readonly rowKey: string
  readonly etag: string
  readonly columns: C
}

export type WriteResult = { readonly kind: 'written'; readonly etag: string } | { readonly kind: 'lost-race' }

/** A table whose partition key is the tenant's id: every row of it belongs to the tenant of the scope (I2). */
export interface TenantTable<C extends Columns> {
  get(scope: TenantScope, rowKey: string): Promise<Row<C> | undefined>
  /** `lost-race` when the row exists. */
  insert(scope: TenantScope, rowKey: string, columns: C): Promise<WriteResult>
  /** `lost-race` when the row has changed since `etag`, or is gone. */
  replace(scope: TenantScope, rowKey: string, columns: C, etag: string): Promise<WriteResult>
  /** Writes whatever is there. */
  put(scope: TenantScope, rowKey: string, columns: C): Promise<void>
  /** A missing row is no error. */
  remove(scope: TenantScope, rowKey: string): Promise<void>
  /** Rows with `from` ≤ row key < `to`, in key order, read page by page as they are consumed. */
  range(scope: TenantScope, from: string, to: string): AsyncIterable<Row<C>>
}

export function tenantTable<C extends Columns>(table: TableClient): TenantTable<C> {
  const entityOf = (tenantId: TenantId, rowKey: string, columns: C) =>
    ({ partitionKey: tenantId, rowKey, ...columns }) as TableEntity<object>

  return {
    get: async ({ tenantId }, rowKey) => {
      try {
        return rowOf<C>(await table.getEntity(tenantId, rowKey))
      } catch (error) {
        if (storageStatus(error) === 404) return undefined
        throw error
      }
    },
    insert: ({ tenantId }, rowKey, columns) =>
      writing([409], async () => (await table.createEntity(entityOf(tenantId, rowKey, columns))).etag),
    replace: ({ tenantId }, rowKey, columns, etag) =>
      writing(
        [412, 404],
        async () => (await table.updateEntity(entityOf(tenantId, rowKey, columns), 'Replace', { etag })).etag,
      ),
    put: async ({ tenantId }, rowKey, columns) => {
      await table.upsertEntity(entityOf(tenantId, rowKey, columns), 'Replace')
    },
    remove: async ({ tenantId }, rowKey) => {
      await writing([404], async () => {
        await table.deleteEntity(tenantId, rowKey)
        return undefined
      })
    },
    range: ({ tenantId }, from, to) => rowsBetween<C>(table, tenantId, from, to),
  }
}

async function writing(racing: readonly number[], write: () => Promise<string | undefined>): Promise<WriteResult> {
  try {
    return { kind: 'written', etag: (await write()) ?? '' }
  } catch (error) {
    const status = storageStatus(error)
    if (status !== undefined && racing.includes(status)) return { kind: 'lost-race' }
    throw error
  }
}

async function* rowsBetween<C extends Columns>(table: TableClient, tenantId: TenantId, from: string, to: string) {
  const filter = odata`PartitionKey eq ${tenantId} and RowKey ge ${from} and RowKey lt ${to}`
  for await (const entity of table.listEntities({ queryOptions: { filter } })) yield rowOf<C>(entity)
}

function rowOf<C extends Columns>(entity: object): Row<C> {
  const { partitionKey, rowKey, etag, timestamp, 'odata.metadata': metadata, ...columns } = entity as SystemColumns
  return { rowKey, etag, columns: columns as C }
}

interface SystemColumns extends Columns {
  partitionKey: string
  rowKey: string
  etag: string
  timestamp?: string
  'odata.metadata'?: string
}
