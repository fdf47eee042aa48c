import type { Caller } from '../access/caller'
import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import { parseTuningJobId, type TuningJobId } from '../base/ids'
import { Problem } from '../base/problem'
import { done, type Checklist, type ChecklistStep, type Operation, type StepOutcome } from '../checklists/checklist'
import { modelIdOf, type ModelVersion } from '../registry/model-version'
import type { Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { isOver, type TuningJob } from '../tuning/tuning-job'
import type { AskedJob, TuningJobs } from '../tuning/tuning-jobs'
import { backendOf, withEventOnce } from './copy-checklist'
import { inPlaceOf, leadAliases } from './lead-aliases'
import { standingFor, type RebuildInput } from './rebuild-request'

export const rebuildName = 'rebuild-model'

export interface RebuildDeps {
  readonly registry: Pick<Registry, 'get' | 'list' | 'change'>
  readonly tuningJobs: Pick<TuningJobs, 'create' | 'get' | 'cancel'>
  readonly tenants: Pick<Tenants, 'get' | 'leadAlias'>
  /** Between two looks at a job that is young; later ones are further apart. */
  readonly pollMs: number
  readonly clock: Clock
}

type Step = ChecklistStep<RebuildInput>
const DAY_MS = 24 * 3_600_000
/** As long as a job may take, and what an outage adds. */
const bounds = { timeoutMs: 61 * DAY_MS, attemptsMax: 1_000 }
const PAUSE_SHARE_OF_AGE = 1 / 20
const PAUSES_MAX = 5

/**
 * Trains a tuned model again whose account is lost: the same data, method, hyperparameters and seed, in another account. An ordinary
 * job of its tenant does it, by this operation's id; so a repeated step begins no second one, and the provider is charged once.
 */
export const rebuildChecklist = (deps: RebuildDeps): Checklist<RebuildInput> => ({
  name: rebuildName,
  onFailure: 'undo',
  steps: [trainStep(deps), leadStep(deps), noteStep(deps)],
})

const trainStep = (deps: RebuildDeps): Step => ({
  id: 'train',
  ...bounds,
  do: async (operation): Promise<StepOutcome> => {
    const scope = TenantScope.ofPlatform(operation.tenantId)
    const job = await deps.tuningJobs.get(scope, jobIdOf(operation))
    if (!job) return begin(deps, scope, operation)
    if (!isOver(job)) return { kind: 'not-yet', againAfterMs: pauseMs(deps, operation) }
    if (job.status !== 'succeeded') return { kind: 'failed', problem: notTrained(job) }
    return done({ jobId: job.id, modelId: modelIdOf(job.id) })
  },
  // What is trained stays, also where what comes after fails: it was paid for, and its tenant can lead to it.
  undo: async (operation) => {
    const scope = TenantScope.ofPlatform(operation.tenantId)
    const job = await deps.tuningJobs.get(scope, jobIdOf(operation))
    if (job && !isOver(job)) await deps.tuningJobs.cancel(scope, job.id)
  },
})

async function begin(deps: RebuildDeps, scope: TenantScope, operation: Operation<RebuildInput>): Promise<StepOutcome> {
  const model = await deps.registry.get(scope, operation.input.modelId)
  if (!model) return { kind: 'failed', problem: noModel }
  const asked = await orderOf(deps, scope, { model, operation })
  if (asked instanceof Problem) return { kind: 'failed', problem: asked }
  const job = await deps.tuningJobs.create(scope, callerOf(operation, model), asked)
  if (job instanceof Problem) return { kind: 'failed', problem: job }
  return { kind: 'not-yet', againAfterMs: deps.pollMs }
}

/** By the registry, which says what the provider really used; what only the job knew is taken from it where it is kept. */
async function orderOf(
  { registry, tuningJobs }: RebuildDeps,
  scope: TenantScope,
  { model, operation }: { model: ModelVersion; operation: Operation<RebuildInput> },
): Promise<AskedJob | Problem> {
  const { id, lineage } = model
  const { accountIds, deploy, lead } = operation.input
  const original = await tuningJobs.get(scope, lineage.jobId)
  const { grader, responseFormat, metadata } = original?.order ?? {}
  if (lineage.method === 'reinforcement' && !grader)
    return new Problem('conflict', 'The job that trained this model is not kept, and with it the grader.')
  const parent = lineage.parent && (await standingFor(registry, scope, lineage.parent))
  if (lineage.parent && !parent)
    return new Problem('conflict', `The model ${lineage.parent} it was trained from is gone.`)
  const wish = deploy ?? original?.wishes.deploy
  return {
    id: jobIdOf(operation),
    asked: {
      model: parent ? parent.name : lineage.baseModel,
      trainingFileId: lineage.training.fileId,
      validationFileId: lineage.validation?.fileId,
      method: lineage.method,
      hyperparameters: lineage.hyperparameters,
      grader,
      responseFormat,
      suffix: lineage.suffix,
      seed: lineage.seed,
      trainingType: lineage.trainingType,
      metadata,
      rebuild: { of: id, accountIds },
    },
    // Its tenant has consented to the training of this model, and this is that.
    consent: { by: lineage.by, atMs: lineage.consentAt },
    wishes: { isDeployed: wish !== undefined || lead === 'replace', ...(wish ? { deploy: wish } : {}) },
  }
}

const leadStep = ({ tenants, registry }: RebuildDeps): Step => ({
  id: 'lead',
  ...bounds,
  applies: ({ lead }) => lead === 'replace',
  do: async (operation) => {
    const scope = TenantScope.ofPlatform(operation.tenantId)
    const [before, next] = backendsOf(operation)
    const rebuilt = await registry.get(scope, modelIdOf(jobIdOf(operation)))
    if (rebuilt?.deployment.kind !== 'deployed') return { kind: 'failed', problem: noModel }
    const led = await leadAliases(tenants, scope, (groups) => inPlaceOf(groups, before, next))
    return done({ aliases: led.join(', ') })
  },
  undo: async (operation) => {
    const [before, next] = backendsOf(operation)
    await leadAliases(tenants, TenantScope.ofPlatform(operation.tenantId), (groups) => inPlaceOf(groups, next, before))
  },
})

const noteStep = ({ registry, clock }: RebuildDeps): Step => ({
  id: 'note',
  ...bounds,
  do: async (operation) => {
    const scope = TenantScope.ofPlatform(operation.tenantId)
    const rebuilt = await registry.get(scope, modelIdOf(jobIdOf(operation)))
    if (!rebuilt) return { kind: 'failed', problem: noModel }
    const detail = `${rebuilt.id}, in ${rebuilt.upstream.region}`
    await registry.change(scope, operation.input.modelId, (model) =>
      withEventOnce(model, { atMs: clock.now(), kind: 'rebuilt', by: operation.operationId, detail }),
    )
    return done({ modelId: rebuilt.id, name: rebuilt.name })
  },
})

const backendsOf = (operation: Operation<RebuildInput>) =>
  [backendOf(operation.input.modelId), backendOf(modelIdOf(jobIdOf(operation)))] as const

/** One operation makes one job, whoever repeats it. */
function jobIdOf({ operationId }: Pick<Operation<RebuildInput>, 'operationId'>): TuningJobId {
  const id = parseTuningJobId(`ftjob-${operationId.slice(operationId.indexOf('_') + 1)}`)
  assert(id, 'a rebuild runs under the id of an operation')
  return id
}

/** In the name of who trained it, with no credential behind it. */
const callerOf = ({ tenantId, operationId }: Operation<RebuildInput>, { lineage }: ModelVersion): Caller => ({
  tenantId,
  callerId: lineage.by,
  principal: { kind: 'application', directoryId: 'platform', objectId: operationId },
  role: undefined,
  scopes: [],
  aliases: undefined,
  limits: undefined,
})

/** The longer it has taken, the longer, so that the history of a long training stays short. */
function pauseMs({ pollMs, clock }: RebuildDeps, { stepStartedAt }: Operation<RebuildInput>): number {
  const ageMs = clock.now() - stepStartedAt
  return Math.round(Math.min(Math.max(pollMs, ageMs * PAUSE_SHARE_OF_AGE), pollMs * PAUSES_MAX))
}

const notTrained = ({ id, status, fault }: TuningJob) =>
  new Problem(
    'conflict',
    fault ? `The training failed: ${fault.code}. ${fault.message}` : `The job ${id} is ${status}.`,
  )

const noModel = new Problem('not_found', 'There is no such model (any more).')
