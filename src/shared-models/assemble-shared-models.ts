import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import { tenantsRows } from '../storage/tenants-rows'
import { tenantTable } from '../storage/tenant-table'
import type { Files } from '../files/files'
import type { SealedRecords } from '../encryption/sealed-records'
import { createAdoptions } from './adoptions'
import { createSharedModelBeginnings } from './begin-shared-model'
import { buildChecklist } from './build-checklist'
import { createConsents } from './consents'
import { createPurposes } from './purpose'
import { retirementChecklist } from './retirement'
import type { SharedModelDeps } from './shared-model-deps'
import { createSharedModels, sharedModelStorage } from './shared-models'
import { createTenantSharedModels } from './tenant-shared-models'
import { watchSharedModels } from './watch'
import { createWorkbench } from './workbench'

type Made = 'models' | 'purposes' | 'consents' | 'adoptions' | 'bench' | 'beginnings'

export interface SharedModelParts extends Omit<SharedModelDeps, Made | 'files'> {
  readonly storage: StorageAccount
  readonly records: SealedRecords
  readonly files: Pick<Files, 'get' | 'read' | 'create' | 'remove'>
}

/** Everything of shared models, put together. */
export function assembleSharedModels(parts: SharedModelParts) {
  const { storage, records, files, tenants, clock } = parts
  const [modelTable, tenantsTable] = sharedModelStorage.tables
  const rows = platformTable(storage.table(modelTable))
  const tenantRows = tenantTable(storage.table(tenantsTable))
  const models = createSharedModels({ rows, tenantRows })
  const purposes = createPurposes({ rows, clock })
  const everyRow = tenantsRows(storage.table(tenantsTable))
  const deps: SharedModelDeps = {
    ...parts,
    models,
    purposes,
    consents: createConsents({ records, purposes, files, rows: tenantRows, everyRow, clock }),
    adoptions: createAdoptions({ records, tenants, now: clock.now }),
    bench: createWorkbench(records),
    beginnings: createSharedModelBeginnings({ storage, models }),
  }
  return {
    /** For the control plane's triggers. */
    deps,
    beginnings: deps.beginnings,
    checklists: [buildChecklist(deps), retirementChecklist(deps)] as const,
    watch: () => watchSharedModels(deps),
    ofTenant: createTenantSharedModels({ ...deps, rows: tenantRows, storage }),
  }
}
