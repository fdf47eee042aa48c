import { assert } from '../base/assert'
import type { TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantTable, Columns } from '../storage/tenant-table'
import type { TenantSnapshot } from './snapshot'

/** Reads and writes compiled snapshots. The write is the one act that makes the data path see a tenant's change (I17). */
export interface SnapshotStore {
  /** For the data path, which asks for the tenant of a verified caller only. */
  read(tenantId: TenantId): Promise<TenantSnapshot | undefined>
  /** Leaves a newer snapshot alone: of two changes at once, the one that compiles last may be the older. */
  write(scope: TenantScope, snapshot: TenantSnapshot): Promise<void>
}

const ROW = 'snapshot'

/** A write loses its race only to another write of the same tenant; more of those at once than this is a defect. */
const WRITE_ATTEMPTS_MAX = 20

export function createSnapshotStore(table: TenantTable<Columns>): SnapshotStore {
  return {
    read: async (tenantId) => {
      const row = await table.get(TenantScope.ofCaller({ tenantId }), ROW)
      return row && parseSnapshot(row.columns)
    },
    write: async (scope, snapshot) => {
      const columns = { version: snapshot.version, ...toJsonColumns(snapshot) }
      for (let attempt = 0; attempt < WRITE_ATTEMPTS_MAX; attempt++) {
        const row = await table.get(scope, ROW)
        if (row && Number(row.columns['version']) > snapshot.version) return
        const result = row
          ? await table.replace(scope, ROW, columns, row.etag)
          : await table.insert(scope, ROW, columns)
        if (result.kind === 'written') return
      }
      assert(false, `the snapshot of ${snapshot.tenantId} was never at rest`)
    },
  }
}

/** Aliases get no prototype: a client that names the model `constructor` must not be handed a function. */
function parseSnapshot(columns: Columns): TenantSnapshot {
  const snapshot = fromJsonColumns<TenantSnapshot>(columns)
  return { ...snapshot, aliases: Object.assign(Object.create(null), snapshot.aliases) }
}
