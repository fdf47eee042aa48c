import type { AuditLog } from '../audit/audit-log'
import type { Alerts } from '../alerts/alerts'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import { createDatasetStore } from '../datasets/dataset-store'
import type { SealedRecords } from '../encryption/sealed-records'
import { createFileStore } from '../files/file-store'
import type { Registry } from '../registry/registry'
import type { StorageAccount } from '../storage/connect'
import type { Places } from '../storage/places'
import { platformTable } from '../storage/platform-table'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable, type Columns } from '../storage/tenant-table'
import { tenantsRows } from '../storage/tenants-rows'
import type { Tenants } from '../tenants/tenants'
import { createTuningStore } from '../tuning/tuning-store'
import { copyChecklist, type CopyDeps } from './copy-checklist'
import { rebuildChecklist, type RebuildDeps } from './rebuild-checklist'
import type { PlanRebuildDeps } from './rebuild-request'
import { recoveryStatus } from './recovery-status'
import type { Replica } from './replica'
import { createReplicaStates, recoveryStorage } from './replica-state'
import { createReplicateTenants, type ReplicationDone } from './replicate-tenants'
import { restoreChecklist, whyNoRestore } from './restore-checklist'

export interface RecoveryParts {
  readonly storage: StorageAccount
  /** Undefined where no paired account is set up: nothing is replicated then. */
  readonly replica: Replica | undefined
  readonly bounds: { readonly goneKeptMs: number; readonly lagMsMax: number }
  readonly places: Places
  readonly records: SealedRecords
  readonly registry: Registry
  readonly tenants: Tenants
  readonly alerts: Alerts
  readonly audit: AuditLog
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly files: PlanRebuildDeps['files']
  readonly stamps: PlanRebuildDeps['stamps']
  readonly deployments: CopyDeps['deployments']
  readonly tuningJobs: RebuildDeps['tuningJobs']
  readonly arm: CopyDeps['arm']
  /** Between two looks at a job. */
  readonly pollMs: number
  readonly clock: Clock
  readonly log: Log
}

const nothing: ReplicationDone = { whole: 0, parts: 0, failed: 0 }

/** Everything of recovery, put together. */
export function assembleRecovery(parts: RecoveryParts) {
  const { storage, replica, bounds, records, clock } = parts
  const table = recoveryStorage.tables[0]
  const states = createReplicaStates({
    rows: tenantTable(storage.table(table)),
    platformRows: platformTable(storage.table(table)),
    everyRow: tenantsRows(storage.table(table)),
  })
  const shared = {
    ...parts,
    states,
    tables: {
      datakeys: tenantTable<Columns>(storage.table('datakeys')),
      sharedparts: tenantTable<Columns>(storage.table('sharedparts')),
    },
    sharedModelRows: platformTable<Columns>(storage.table('sharedmodels')),
  }
  const readers = {
    jobs: createTuningStore(records),
    datasets: createDatasetStore(records),
    registry: parts.registry,
    files: createFileStore(records),
  }
  const replicateTenants = replica && createReplicateTenants({ ...shared, ...bounds, replica, readers })
  const paired = replica && { region: replica.region, lagMsMax: bounds.lagMsMax }
  return {
    /** For the timer; does nothing where nothing is replicated. */
    replicate: async (): Promise<ReplicationDone> => {
      if (!replica || !replicateTenants) return nothing
      // Not when the app starts: the paired account may be out of reach then, and nobody's calls wait for it.
      await replica.ensure()
      return replicateTenants()
    },
    status: (page: Parameters<typeof recoveryStatus>[1]) => recoveryStatus({ states, clock, paired }, page),
    /** For requests, which refuse at once what cannot be. */
    planning: { stamps: parts.stamps, files: parts.files },
    whyNoRestore: (scope: TenantScope) => whyNoRestore(parts, scope),
    restore: restoreChecklist(shared),
    copy: copyChecklist(parts),
    rebuild: rebuildChecklist(parts),
  }
}

export type Recovery = Pick<ReturnType<typeof assembleRecovery>, 'status' | 'planning' | 'whyNoRestore'>
