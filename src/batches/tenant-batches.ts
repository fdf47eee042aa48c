import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { Lanes } from './lanes'

/** What the platform has of a tenant's batches besides their files, for whoever deletes it. */
export interface TenantBatches {
  /** Those that run are called back by their own checklists, which see that their tenant goes (`runStep`). */
  remove(scope: TenantScope): Promise<void>
  census(scope: TenantScope): Promise<number>
}

export const createTenantBatches = ({
  rows,
  rowsOf,
  lanes,
}: {
  rows: Pick<TenantTable<Columns>, 'removeAll'>
  rowsOf: (scope: TenantScope) => Promise<number>
  lanes: Pick<Lanes, 'removeTenant' | 'census'>
}): TenantBatches => ({
  remove: async (scope) => {
    await lanes.removeTenant(scope.tenantId)
    await rows.removeAll(scope)
  },
  census: async (scope) => (await rowsOf(scope)) + (await lanes.census(scope.tenantId)),
})
