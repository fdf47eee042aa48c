import type { Caller } from '../../access/caller'
import { Problem } from '../../base/problem'
import { done, type StepOutcome } from '../../checklists/checklist'
import type { TuningJob } from '../../tuning/tuning-job'
import { readTuningOrder } from '../../tuning/tuning-order'
import { allConsent, objected, onBuild, type BuildRun } from '../build-run'
import { failed } from '../fail-build'
import { fileOf, jobOf, modelOf } from '../shared-model'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'

/** The owner's own fine-tuning job: it trains, registers and deploys as every tenant's does. */
export const trainStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'train',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async (run) => {
    const { id, owner } = run
    const job = await deps.tuningJobs.get(owner, jobOf(id))
    if (!job) return begin(deps, run)
    switch (job.status) {
      case 'succeeded':
        await deps.files.remove(owner, fileOf(id))
        return done({ modelId: modelOf(id) })
      case 'failed':
      case 'cancelled':
        return failed(deps, id, faultOf(job))
      case 'validating_files':
      case 'queued':
      case 'running':
      case 'paused':
        return notYet(deps, run)
    }
  }),
})

async function begin(deps: SharedModelDeps, run: BuildRun): Promise<StepOutcome> {
  const { id, model, owner } = run
  // The last moment: what is sent cannot be called back unread.
  if (!(await allConsent(deps, run))) return objected
  const { baseModel, suffix, hyperparameters } = model.order
  const asked = readTuningOrder({
    model: baseModel,
    training_file: fileOf(id),
    suffix,
    method: { type: 'supervised', supervised: { hyperparameters } },
    // What is trained anywhere would leave the region to which its contributors consented.
    trainingType: 'standard',
  })
  if (asked instanceof Problem) return failed(deps, id, asked)
  const job = await deps.tuningJobs.create(owner, platformCaller(run), { id: jobOf(id), asked })
  return job instanceof Problem ? failed(deps, id, job) : notYet(deps, run)
}

/** Whose the job is: the platform's, with no credential behind it. */
const platformCaller = ({ id, owner }: BuildRun): Caller => ({
  tenantId: owner.tenantId,
  callerId: `ent_${id.slice('shm_'.length)}`,
  principal: { kind: 'application', directoryId: 'platform', objectId: id },
  role: undefined,
  scopes: [],
  aliases: undefined,
  limits: undefined,
})

const PAUSE_SHARE_OF_AGE = 1 / 20
const PAUSES_MAX = 5

/** The longer it has taken, the longer, so that the history of a long training stays short. */
function notYet({ bounds, clock }: SharedModelDeps, { stepStartedAt }: BuildRun): StepOutcome {
  const ageMs = clock.now() - stepStartedAt
  const pauseMs = Math.min(Math.max(bounds.pollMs, ageMs * PAUSE_SHARE_OF_AGE), bounds.pollMs * PAUSES_MAX)
  return { kind: 'not-yet', againAfterMs: Math.round(pauseMs) }
}

const faultOf = ({ id, status, fault }: TuningJob) =>
  new Problem(
    'conflict',
    fault ? `The training failed: ${fault.code}. ${fault.message}` : `The job ${id} is ${status}.`,
  )
