import type { Directories } from '../access/directories'
import type { Places } from '../storage/places'
import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable, type Columns } from '../storage/tenant-table'
import type { RetainedData, TenantStore } from './tenant-store'

/** Tables of the platform whose partition is the tenant, in the order in which they are emptied. */
export const tenantPartitions = ['idempotency', 'limits', 'keys', 'members', 'alerts', 'audit'] as const

/** The registry: everything that holds data of tenants, but for the data key and the record, which have steps of their own. */
export function tenantStores({
  storage,
  places,
  directories,
}: {
  storage: StorageAccount
  places: Places
  directories: Directories
}): readonly TenantStore[] {
  return [
    dataPlaceStore(places),
    directoryStore(directories),
    ...tenantPartitions.map((name) => partitionStore(storage, name)),
  ]
}

/** Tables and containers that hold something of a tenant and are neither emptied here nor elsewhere in the checklist. */
export const retained: readonly RetainedData[] = [
  {
    what: 'Usage sums by minute and hour (table usageminutes) and the usage log (container usage-log)',
    why: 'Numbers and ids for bills that were or will be made; they never held content.',
  },
  {
    what: 'The tombstone of this offboarding (table offboardings) and the platform’s own audit log',
    why: 'They prove who had the tenant deleted and what was deleted.',
  },
]

function dataPlaceStore(places: Places): TenantStore {
  const sum = async (scope: TenantScope) =>
    Object.values(await places.census(scope, await places.get(scope))).reduce((total, count) => total + count, 0)
  return {
    name: 'the tenant’s own data: sealed records and blobs',
    census: sum,
    remove: async (scope) => {
      const removed = await sum(scope)
      await places.empty(scope, await places.get(scope))
      return removed
    },
  }
}

function directoryStore(directories: Directories): TenantStore {
  return {
    name: 'links to Entra directories',
    census: async (scope) => (await directories.list(scope)).length,
    remove: async (scope) => {
      const linked = await directories.list(scope)
      for (const { directoryId } of linked) await directories.unlink(scope, directoryId)
      return linked.length
    },
  }
}

function partitionStore(storage: StorageAccount, name: string): TenantStore {
  const table = tenantTable<Columns>(storage.table(name))
  return {
    name: `table ${name}`,
    remove: (scope) => table.removeAll(scope),
    census: async (scope) => {
      let left = 0
      for await (const row of table.range(scope, '', '￿')) left += row.rowKey === undefined ? 0 : 1
      return left
    },
  }
}
