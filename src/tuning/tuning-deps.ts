import type { Alerts } from '../alerts/alerts'
import type { Arm } from '../azure/arm'
import type { Clock } from '../base/clock'
import type { IdMaker, TenantId } from '../base/ids'
import type { Log } from '../base/log'
import type { BudgetWarnings } from '../budgets/budget-warnings'
import type { StandingHolds } from '../budgets/standing-holds'
import type { ChecklistStep } from '../checklists/checklist'
import type { CheckedFiles } from '../datasets/checked-files'
import type { TrainingPricesAt } from '../datasets/training-prices'
import type { AccountFiles } from '../files/account-files'
import type { Files } from '../files/files'
import type { LateUsage } from '../metering/late-usage'
import type { ModelStages } from '../registry/model-stages'
import type { Promotions } from '../registry/promotions'
import type { Registry } from '../registry/registry'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { AccountTuning } from './account-tuning'
import type { ModelDeployments } from './model-deployments'
import type { TrainingPlace } from './training-accounts'
import type { TurnRows } from './turn-rows'
import type { TuningEvents } from './tuning-events'
import type { TuningStore } from './tuning-store'

/** What the steps of a job work with. */
export interface TuningDeps {
  readonly store: TuningStore
  readonly events: TuningEvents
  readonly registry: Registry
  readonly files: Pick<Files, 'read' | 'create' | 'stage' | 'unstage'>
  readonly checkedFiles: CheckedFiles
  readonly accounts: AccountTuning
  /** What a training writes at its account. */
  readonly outputs: Pick<AccountFiles, 'content' | 'remove'>
  /** The accounts that may train for the tenant. */
  readonly trainingAccounts: (scope: TenantScope) => Promise<readonly TrainingPlace[]>
  readonly arm: Arm
  readonly turns: TurnRows
  readonly holds: StandingHolds
  readonly budgetWarnings: Pick<BudgetWarnings, 'refused' | 'unpriced'>
  readonly lateUsage: Pick<LateUsage, 'record'>
  readonly trainingPricesAt: TrainingPricesAt
  readonly deployments: ModelDeployments
  /** Absent ones are passed over. */
  readonly stages: ModelStages
  readonly promotions: Pick<Promotions, 'rollBack'>
  readonly alerts: Pick<Alerts, 'raiseOnce'>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  /** Between two looks at a job that is young; later ones are further apart. */
  readonly pollMs: number
  readonly ids: Pick<IdMaker, 'fileId'>
  readonly clock: Clock
  readonly log: Log
}

/** A job's checklist runs under the job's own id and needs to be told nothing more. */
export type TuningInput = Readonly<Record<string, never>>
export type TuningStep = ChecklistStep<TuningInput>

export const tuningName = 'tuning'

const DAY_MS = 24 * 3_600_000
/** An account trains no longer than 30 days (azure-facts 3.2), and a paused job waits for its owner. */
export const RUN_MS_MAX = 60 * DAY_MS
/** Hours of an outage, with 30 s between two attempts. */
export const STEP_ATTEMPTS_MAX = 1_000
