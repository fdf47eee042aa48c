import type { TableClient } from '@azure/data-tables'
import { partitionTable, type Columns, type PartitionTable } from './partition-table'

/** The partition of rows that belong to no tenant. A tenant's id starts with `ten_`, so no tenant can be given it. */
const PLATFORM_PARTITION = 'platform'

/** A table's rows that belong to the platform itself: backends, the directory of tenants, operators' requests. */
export function platformTable<C extends Columns>(table: TableClient): PartitionTable<C> {
  return partitionTable(table, PLATFORM_PARTITION)
}
