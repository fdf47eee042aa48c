import type { BackendId, IdMaker, TenantId } from '../base/ids'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import type { BudgetWarnings } from '../budgets/budget-warnings'
import type { StandingHolds } from '../budgets/standing-holds'
import type { ChecklistStep } from '../checklists/checklist'
import type { AccountFiles } from '../files/account-files'
import type { Files } from '../files/files'
import type { LateUsage } from '../metering/late-usage'
import type { PriceBook } from '../metering/price-book'
import type { Backend } from '../routing/backend'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { AccountBatches } from './account-batches'
import type { BatchStore } from './batch-store'
import type { Lanes } from './lanes'

/** What the steps of a batch work with. */
export interface BatchDeps {
  readonly store: BatchStore
  readonly files: Pick<Files, 'read' | 'create' | 'stage' | 'unstage'>
  readonly accounts: AccountBatches
  /** What a batch writes at its account. */
  readonly outputs: Pick<AccountFiles, 'content' | 'remove'>
  readonly lanes: Lanes
  readonly holds: StandingHolds
  readonly budgetWarnings: Pick<BudgetWarnings, 'refused' | 'unpriced'>
  readonly lateUsage: Pick<LateUsage, 'record'>
  readonly batchCostOf: PriceBook['batchCostOf']
  /** As storage has them now. */
  readonly backends: () => Promise<ReadonlyMap<BackendId, Backend>>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  /** Between two looks at a batch that is young; later ones are further apart. */
  readonly pollMs: number
  readonly ids: Pick<IdMaker, 'fileId'>
  readonly chance: Chance
  readonly clock: Clock
  readonly log: Log
}

/** A batch's checklist runs under the batch's own id and needs to be told nothing more. */
export type BatchInput = Readonly<Record<string, never>>
export type BatchStep = ChecklistStep<BatchInput>

export const batchName = 'batch'

const HOUR_MS = 3_600_000
/** Longer than the window in which a batch has to begin: its end is the window's, not a timeout's. */
export const BEGIN_MS_MAX = 26 * HOUR_MS
/** Azure does not end batches after their window (azure-facts 4); one that is not over by then never will be. */
export const RUN_MS_MAX = 14 * 24 * HOUR_MS
/** Hours of an outage, with 30 s between two attempts. */
export const STEP_ATTEMPTS_MAX = 1_000
