import type { TableClient } from '@azure/data-tables'
import { partitionTable, type Columns, type PartitionTable, type Row, type WriteResult } from './partition-table'
import type { TenantScope } from './tenant-scope'

export type { Columns, Row, WriteResult } from './partition-table'

/** A table whose partition key is the tenant's id: every row of it belongs to the tenant of the scope (I2). */
export interface TenantTable<C extends Columns> {
  /** The rows of the scope's tenant alone, for code that works the same on rows of the platform. See `partitionTable`. */
  partition(scope: TenantScope, signal?: AbortSignal): PartitionTable<C>
  get(scope: TenantScope, rowKey: string): Promise<Row<C> | undefined>
  /** `lost-race` when the row exists. */
  insert(scope: TenantScope, rowKey: string, columns: C): Promise<WriteResult>
  /** `lost-race` when the row has changed since `etag`, or is gone. */
  replace(scope: TenantScope, rowKey: string, columns: C, etag: string): Promise<WriteResult>
  /** Writes whatever is there. */
  put(scope: TenantScope, rowKey: string, columns: C): Promise<void>
  /** A missing row is no error. */
  remove(scope: TenantScope, rowKey: string): Promise<void>
  /** Every row of the tenant; how many there were. */
  removeAll(scope: TenantScope): Promise<number>
  /** Rows with `from` ≤ row key < `to`, in key order, read page by page as they are consumed. */
  range(scope: TenantScope, from: string, to: string): AsyncIterable<Row<C>>
}

export function tenantTable<C extends Columns>(table: TableClient): TenantTable<C> {
  const of = ({ tenantId }: TenantScope, signal?: AbortSignal) => partitionTable<C>(table, tenantId, signal)
  return {
    partition: of,
    get: (scope, rowKey) => of(scope).get(rowKey),
    insert: (scope, rowKey, columns) => of(scope).insert(rowKey, columns),
    replace: (scope, rowKey, columns, etag) => of(scope).replace(rowKey, columns, etag),
    put: (scope, rowKey, columns) => of(scope).put(rowKey, columns),
    remove: (scope, rowKey) => of(scope).remove(rowKey),
    removeAll: (scope) => of(scope).removeAll(),
    range: (scope, from, to) => of(scope).range(from, to),
  }
}
