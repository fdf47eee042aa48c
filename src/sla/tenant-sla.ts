import type { Removal } from '../checklists/removal'
import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable, type Columns } from '../storage/tenant-table'
import { createIncidentIndex } from './incident-index'
import { createSlaStore, slaStorage } from './sla-store'
import { createWatchedTenants } from './watched-tenants'

/** What there is of a tenant’s objectives, for its offboarding: its rows, their copies in the list of all, and that it is watched. */
interface TenantSla {
  remove(scope: TenantScope): Promise<Removal>
  census(scope: TenantScope): Promise<number>
}

const PAGE_INCIDENTS = 100

export function createTenantSla(storage: StorageAccount): TenantSla {
  const [ownTable, indexTable] = slaStorage.tables
  const own = tenantTable<Columns>(storage.table(ownTable))
  const platformRows = platformTable<Columns>(storage.table(indexTable))
  const store = createSlaStore(own)
  const index = createIncidentIndex(platformRows)
  const watched = createWatchedTenants(platformRows)
  return {
    remove: async (scope) => {
      await watched.forget(scope.tenantId)
      for (;;) {
        const incidents = await store.incidents(scope, { limit: PAGE_INCIDENTS })
        for (const { id } of incidents) {
          await index.remove(id)
          // Behind its copy, which nothing would lead to any more.
          await store.removeIncident(scope, id)
        }
        if (incidents.length < PAGE_INCIDENTS) break
      }
      await own.removeAll(scope)
      return { kind: 'removed' }
    },
    census: async ({ tenantId }) =>
      (await storage.rowsInPartition(ownTable, tenantId)) + (await storage.platformRowsUnder(indexTable, tenantId)),
  }
}
