import { odata, type TableClient } from '@azure/data-tables'
import type { Columns } from './partition-table'
import { checkRowVersion } from './row-versions'

/**
 * The row of this key of every tenant that has one. For the few readers across tenants that stand in modules of their own (I4);
 * it looks through the whole table, so the table holds few rows a tenant.
 */
export type TenantsRows = (rowKey: string) => AsyncIterable<{ readonly tenantId: string; readonly columns: Columns }>

export const tenantsRows = (table: TableClient): TenantsRows =>
  async function* (rowKey) {
    const filter = odata`RowKey eq ${rowKey}`
    for await (const entity of table.listEntities<Columns>({ queryOptions: { filter } })) {
      const { partitionKey, rowKey: _, etag, timestamp, 'odata.metadata': metadata, ...columns } = entity
      checkRowVersion(table, columns)
      if (partitionKey !== undefined) yield { tenantId: partitionKey, columns }
    }
  }

/** Every row of every tenant, for the same few: a table that holds few rows a tenant. */
export type EveryRow = () => AsyncIterable<{
  readonly tenantId: string
  readonly rowKey: string
  readonly columns: Columns
}>

export const everyRow = (table: TableClient): EveryRow =>
  async function* () {
    for await (const entity of table.listEntities<Columns>()) {
      const { partitionKey, rowKey, etag, timestamp, 'odata.metadata': metadata, ...columns } = entity
      checkRowVersion(table, columns)
      if (partitionKey !== undefined && rowKey !== undefined) yield { tenantId: partitionKey, rowKey, columns }
    }
  }
