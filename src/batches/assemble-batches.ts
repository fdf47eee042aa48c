import type { BackendCredentials } from '../azure/backend-credentials'
import type { SmallHttp } from '../azure/small-http'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { BackendId, IdMaker } from '../base/ids'
import type { Log } from '../base/log'
import type { BudgetWarnings } from '../budgets/budget-warnings'
import { budgetsIn } from '../budgets/create-budget-keeper'
import { createStandingHolds } from '../budgets/standing-holds'
import type { SpentByLog } from '../budgets/true-up'
import type { SealedRecords } from '../encryption/sealed-records'
import type { AccountFiles } from '../files/account-files'
import type { Files } from '../files/files'
import type { LateUsage } from '../metering/late-usage'
import type { PriceBook } from '../metering/price-book'
import type { Backend } from '../routing/backend'
import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import { tenantTable, type Columns } from '../storage/tenant-table'
import { createAccountBatches } from './account-batches'
import { batchChecklist } from './batch-checklist'
import type { BatchDeps } from './batch-deps'
import { batchStorage, createBatchStore } from './batch-store'
import { createBatches } from './batches'
import { batchQueueStorage, createBatchBeginnings } from './begin-batch'
import { createLanes, laneStorage } from './lanes'
import { createTenantBatches } from './tenant-batches'

export const batchNeeds = {
  tables: [...batchStorage.tables, ...laneStorage.tables],
  queues: batchQueueStorage.queues,
} as const

export interface BatchParts {
  readonly storage: StorageAccount
  readonly records: Pick<SealedRecords, 'get' | 'put' | 'remove'>
  readonly files: Files
  readonly accountFiles: Pick<AccountFiles, 'content' | 'remove'>
  readonly http: SmallHttp
  readonly credentials: BackendCredentials
  readonly lateUsage: LateUsage
  readonly spentByLog: SpentByLog
  readonly budgetWarnings: Pick<BudgetWarnings, 'refused' | 'unpriced'>
  readonly batchCostOf: PriceBook['batchCostOf']
  /** As storage has them now. */
  readonly backendsAnew: () => Promise<ReadonlyMap<BackendId, Backend>>
  readonly tenantOf: BatchDeps['tenantOf']
  readonly bounds: { readonly pollMs: number; readonly perDeploymentMax: number; readonly perTenantMax: number }
  readonly ids: IdMaker
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** Everything of batches, put together. */
export function assembleBatches(parts: BatchParts) {
  const { storage, records, files, credentials, http, bounds, clock, log } = parts
  const rows = tenantTable<Columns>(storage.table(batchStorage.tables[0]))
  const store = createBatchStore({ rows, records })
  const accounts = createAccountBatches({ http, credentials })
  const lanes = createLanes({
    rows: platformTable(storage.table(laneStorage.tables[0])),
    bounds: { batchesMax: bounds.perDeploymentMax, perTenantMax: bounds.perTenantMax },
    now: clock.now,
  })
  const beginnings = createBatchBeginnings({ storage, store })
  return {
    beginnings,
    batches: createBatches({ ...parts, store, accounts, begin: beginnings.ask }),
    checklist: batchChecklist({
      ...parts,
      store,
      files,
      accounts,
      outputs: parts.accountFiles,
      lanes,
      holds: createStandingHolds({ store: budgetsIn(storage), spentByLog: parts.spentByLog, clock }),
      backends: parts.backendsAnew,
      pollMs: bounds.pollMs,
      log,
    }),
    ofTenant: createTenantBatches({
      rows,
      rowsOf: ({ tenantId }) => storage.rowsInPartition(batchStorage.tables[0], tenantId),
      lanes,
    }),
  }
}
