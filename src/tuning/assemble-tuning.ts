import type { BackendCredentials } from '../azure/backend-credentials'
import type { SmallHttp } from '../azure/small-http'
import { budgetsIn } from '../budgets/create-budget-keeper'
import { createStandingHolds } from '../budgets/standing-holds'
import type { SpentByLog } from '../budgets/true-up'
import type { SealedRecords } from '../encryption/sealed-records'
import type { Files } from '../files/files'
import type { PlacementDeps } from '../provisioning/placement'
import type { ProbeDeps } from '../provisioning/probe-backend'
import type { IdMaker } from '../base/ids'
import type { Datasets } from '../datasets/datasets'
import { trainingPrices, type TrainingPricesAt } from '../datasets/training-prices'
import type { Backends } from '../routing/backends'
import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import type { Tenants } from '../tenants/tenants'
import { createAccountTuning } from './account-tuning'
import { createTuningBeginnings, tuningQueueStorage } from './begin-tuning'
import { createModelDeployments, type HostingMeters } from './model-deployments'
import { createTenantTuning } from './tenant-tuning'
import { trainingAccountsOf } from './training-accounts'
import { createTurnRows, turnStorage } from './turn-rows'
import { tuningChecklist } from './tuning-checklist'
import type { TuningDeps } from './tuning-deps'
import { createTuningEvents } from './tuning-events'
import { createTuningJobs } from './tuning-jobs'
import { createTuningOperations } from './tuning-operations'
import { createTuningStore } from './tuning-store'

export const tuningNeeds = { tables: turnStorage.tables, queues: tuningQueueStorage.queues } as const

type Given = Pick<
  TuningDeps,
  | 'registry'
  | 'promotions'
  | 'checkedFiles'
  | 'arm'
  | 'outputs'
  | 'budgetWarnings'
  | 'lateUsage'
  | 'stages'
  | 'alerts'
  | 'tenantOf'
  | 'clock'
  | 'log'
>

export interface TuningParts extends Given, ProbeDeps {
  readonly storage: StorageAccount
  readonly records: SealedRecords
  readonly files: Files
  readonly datasets: Pick<Datasets, 'consentFor'>
  readonly http: SmallHttp
  readonly credentials: BackendCredentials
  readonly spentByLog: SpentByLog
  readonly backends: Backends
  readonly placement: PlacementDeps
  readonly tenants: Tenants
  readonly meters: HostingMeters
  /** The built-in list where none is given. */
  readonly trainingPricesAt?: TrainingPricesAt
  readonly bounds: { readonly pollMs: number; readonly perAccountMax: number; readonly perTenantMax: number }
  readonly ids: IdMaker
}

/** Everything of training, put together. */
export function assembleTuning(parts: TuningParts) {
  const { storage, records, placement, tenants, bounds, registry, clock } = parts
  const store = createTuningStore(records)
  const events = createTuningEvents(records)
  const accounts = createAccountTuning(parts)
  const turns = createTurnRows({
    rows: platformTable(storage.table(turnStorage.tables[0])),
    bounds: { jobsMax: bounds.perAccountMax, perTenantMax: bounds.perTenantMax },
    now: clock.now,
  })
  const deployments = createModelDeployments(parts)
  const beginnings = createTuningBeginnings({ storage, store })
  const jobs = createTuningJobs({ ...parts, store, begin: beginnings.ask })
  return {
    beginnings,
    jobs,
    /** For whoever lets models sleep and wakes them. */
    deployments,
    operations: createTuningOperations(jobs, events),
    checklist: tuningChecklist({
      ...parts,
      store,
      events,
      accounts,
      turns,
      deployments,
      trainingAccounts: (scope) => trainingAccountsOf({ ...placement, tenants }, scope),
      holds: createStandingHolds({ store: budgetsIn(storage), spentByLog: parts.spentByLog, clock }),
      trainingPricesAt: parts.trainingPricesAt ?? (() => trainingPrices),
      pollMs: bounds.pollMs,
    }),
    ofTenant: createTenantTuning({ registry, store, events, turns, deployments, accounts }),
  }
}
