import type { Alerts } from '../alerts/alerts'
import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import type { Log } from '../base/log'
import type { ChecklistStep } from '../checklists/checklist'
import type { Removal } from '../checklists/removal'
import type { TenantKeyring } from '../encryption/sealer'
import type { Files } from '../files/files'
import type { Backends } from '../routing/backends'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { TuningJobs } from '../tuning/tuning-jobs'
import type { Adoptions } from './adoptions'
import type { SharedModelBeginnings } from './begin-shared-model'
import type { Consents } from './consents'
import type { Purposes } from './purpose'
import type { SharedModels } from './shared-models'
import type { Workbench } from './workbench'

/** What builds, objections and retirements work with. */
export interface SharedModelDeps {
  readonly models: SharedModels
  readonly purposes: Purposes
  readonly consents: Consents
  readonly adoptions: Adoptions
  readonly bench: Workbench
  readonly beginnings: SharedModelBeginnings
  readonly tenants: Tenants
  readonly keyring: Pick<TenantKeyring, 'create'>
  readonly files: Pick<Files, 'read' | 'create' | 'remove'>
  readonly tuningJobs: Pick<TuningJobs, 'create' | 'get' | 'cancel'>
  readonly backends: Pick<Backends, 'read' | 'shareWith'>
  readonly alerts: Alerts
  readonly audit: Pick<AuditLog, 'append'>
  /** One step towards nothing of an owner's being left anywhere, its data key and itself last: as a tenant is deleted. */
  readonly emptyOwner: (owner: TenantScope) => Promise<Removal>
  readonly bounds: SharedModelBounds
  readonly ids: Pick<IdMaker, 'operationId'>
  readonly clock: Clock
  readonly log: Log
}

export interface SharedModelBounds {
  /** Whether an objection starts a retraining, or proposes one to operators. */
  readonly retrain: 'start' | 'propose'
  /** Between two looks at a training. */
  readonly pollMs: number
  /** From the moment on which nobody is led to a model any more until it is deleted: instances' snapshots and calls under way. */
  readonly drainMs: number
  /** How long an affected model may go on answering until another takes its place. */
  readonly affectedMsMax: number
}

/** A checklist runs under its model's id and needs to be told nothing more. */
export type SharedModelTask = Readonly<Record<string, never>>
export type SharedModelStep = ChecklistStep<SharedModelTask>

const DAY_MS = 24 * 3_600_000
/** A training may take as long as that at its account, and waits for its turn before. */
export const BUILD_MS_MAX = 60 * DAY_MS
/** Hours of an outage, with 30 s between two attempts. */
export const ATTEMPTS_MAX = 1_000
