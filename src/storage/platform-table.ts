import type { TableClient } from '@azure/data-tables'
import { platformPartition } from './connect'
import { partitionTable, type Columns, type PartitionTable } from './partition-table'

/** A table's rows that belong to the platform itself: backends, the directory of tenants, operators' requests. */
export function platformTable<C extends Columns>(table: TableClient): PartitionTable<C> {
  return partitionTable(table, platformPartition)
}
