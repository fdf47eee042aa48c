import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import type { Log } from '../base/log'
import { Problem } from '../base/problem'
import type { Dataset } from '../datasets/dataset'
import type { Datasets } from '../datasets/datasets'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { TuningJob } from '../tuning/tuning-job'
import type { TuningJobs } from '../tuning/tuning-jobs'
import { STARTS_MAX, type DriftAllowance, type DriftState, type Retraining, type StartedJob } from './drift-records'
import type { DriftStore } from './drift-store'
import { newestDatasetFor } from './newest-dataset'
import { planRetraining } from './plan-retraining'

export interface RetrainDeps {
  readonly store: Pick<DriftStore, 'changeState'>
  readonly datasets: Pick<Datasets, 'get' | 'page'>
  readonly tuningJobs: Pick<TuningJobs, 'get' | 'create'>
  readonly ids: Pick<IdMaker, 'tuningJobId'>
  readonly clock: Clock
  readonly log: Log
}

/** Proposes or starts a training of a model that has drifted, as its tenant wants it; again and again, of which one has an effect. */
export async function retrain(
  deps: RetrainDeps,
  scope: TenantScope,
  { model, state }: { readonly model: ModelVersion; readonly state: DriftState },
): Promise<DriftState> {
  const { clock, store, ids, datasets } = deps
  const atMs = clock.now()
  const newest = await newestDatasetFor(datasets, scope, { model, policy: state.policy })
  const plan = planRetraining(state, { newest: newest?.id, nowMs: atMs })
  const become = (next: Retraining) =>
    store.changeState(scope, model.id, (now) => (isSame(now, state) ? { ...now, retraining: next } : now))
  switch (plan.kind) {
    case 'leave':
      return state
    case 'propose':
      return become({ kind: 'proposed', atMs, why: plan.why })
    case 'start': {
      const { datasetId, allowed } = plan
      const started = { atMs, jobId: plan.jobId ?? ids.tuningJobId(), datasetId }
      const begun = await become({ kind: 'starting', ...started })
      const { retraining } = begun
      // Somebody else was faster, or the model came to rest meanwhile.
      if (retraining.kind !== 'starting' || retraining.jobId !== started.jobId) return begun
      return startJob(deps, scope, { model, started, allowed })
    }
    default:
      return assertNever(plan)
  }
}

const isSame = (one: DriftState, other: DriftState): boolean =>
  one.verdict.kind === other.verdict.kind && JSON.stringify(one.retraining) === JSON.stringify(other.retraining)

interface Starting {
  readonly model: ModelVersion
  readonly started: StartedJob
  readonly allowed: DriftAllowance
}

async function startJob(deps: RetrainDeps, scope: TenantScope, starting: Starting): Promise<DriftState> {
  const { store, clock, log } = deps
  const { model, started } = starting
  const job = await jobOf(deps, scope, starting)
  if (job instanceof Problem) log.warn('a retraining was refused', { modelId: model.id, code: job.code })
  const atMs = clock.now()
  return store.changeState(scope, model.id, (now) => {
    if (now.retraining.kind !== 'starting' || now.retraining.jobId !== started.jobId) return now
    if (job instanceof Problem) return { ...now, retraining: { kind: 'proposed', atMs, why: 'refused' } }
    return {
      ...now,
      retraining: { kind: 'started', ...started, atMs },
      starts: [...now.starts, atMs].slice(-STARTS_MAX),
    }
  })
}

/**
 * As the model was trained before, from where it is now and on the newer data: its evaluation, gate and route hold again. Consent is
 * what was given for the dataset, and where that was withdrawn meanwhile there is no job.
 */
async function jobOf(
  { tuningJobs, datasets }: RetrainDeps,
  scope: TenantScope,
  { model, started: { jobId, datasetId }, allowed }: Starting,
): Promise<TuningJob | Problem> {
  const [before, dataset] = await Promise.all([
    tuningJobs.get(scope, model.lineage.jobId),
    datasets.get(scope, datasetId),
  ])
  if (!before || !dataset) return new Problem('not_found', 'The job that made the model, or its newer data, is gone.')
  const { baseModel: _base, parent: _parent, metadata: _metadata, validationFileId, ...order } = before.order
  const validation = await validationFor(datasets, scope, dataset)
  return tuningJobs.create(scope, callerOf(scope, allowed), {
    id: jobId,
    asked: {
      ...order,
      model: model.name,
      trainingFileId: dataset.file.id,
      validationFileId: validation ?? (order.method === 'reinforcement' ? validationFileId : undefined),
      metadata: { [DRIFT_KEY]: model.id },
    },
    hasConsent: false,
    wishes: { ...before.wishes, isDeployed: before.wishes.deploy !== undefined },
  })
}

/** By this key of its metadata, which its tenant sees, a job says that drift began it, and of which model. */
const DRIFT_KEY = 'drift_of'

const validationFor = async (datasets: RetrainDeps['datasets'], scope: TenantScope, { validationId }: Dataset) =>
  validationId && (await datasets.get(scope, validationId))?.file.id

const callerOf = ({ tenantId }: TenantScope, { by, principal, limits, budgets }: DriftAllowance) => ({
  tenantId,
  callerId: by,
  principal,
  role: undefined,
  scopes: ['admin'] as const,
  aliases: undefined,
  limits,
  budgets,
})
