import { done, type StepOutcome, type UndoOutcome } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { isLeftBehind } from '../left-behind'
import { callOff, removeMade } from '../take-back'
import { notYet, onJob, type TuningRun } from '../tuning-run'
import { undoStages } from './stage-steps'

/**
 * What was made for a job that is not wanted any more goes: training, deployment, model. Of one that failed behind its training
 * the model stays, so that a retry need not train it again; what of a deployment is not done goes.
 */
export const takeBackStep = (deps: TuningDeps): TuningStep => ({
  id: 'take-back',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJob(deps, async (run) => {
    const { scope, id, job } = run
    if (job.end === undefined) return done()
    if (!(await callOff(deps, run)) && !(await isLeftBehind(deps, run, 'training'))) return notYet(deps, run)
    if (job.end === 'cancelled') {
      const undone = await leadBack(deps, run)
      if (undone.kind === 'not-yet') return undone
    }
    const model = job.modelId && (await deps.registry.get(scope, job.modelId))
    if (model && (job.end === 'cancelled' || model.deployment.kind !== 'deployed')) {
      const removed = await deps.deployments.remove(scope, model.id, { kind: 'removed', by: id })
      if (removed.kind === 'not-yet') return removed
    }
    // A failed job without a model has checkpoints at most, and a retry begins anew.
    return job.end === 'cancelled' || !model ? removeModel(deps, run) : done()
  }),
})

/** No alias leads to what goes, whoever has led it there: the job's own route, or somebody by hand meanwhile. */
async function leadBack(deps: TuningDeps, run: TuningRun): Promise<UndoOutcome> {
  const { scope, id, job } = run
  if (!job.modelId) return done()
  const undone = await undoStages(deps, run)
  if (undone.kind === 'not-yet') return undone
  // A conflict says that none does, or that others have changed the alias since: then it stays as they made it.
  await deps.promotions.rollBack(scope, job.modelId, { by: id, why: 'The job of its model was cancelled.' })
  return done()
}

/** At its account, with its checkpoints, and then in the registry. */
async function removeModel(deps: TuningDeps, run: TuningRun): Promise<StepOutcome> {
  const { scope, id, job } = run
  const { modelId } = job
  if (!(await removeMade(deps, run)) && !(await isLeftBehind(deps, run, 'model'))) return notYet(deps, run)
  if ((await deps.events.checkpoints(scope, id)).length > 0) await deps.events.putCheckpoints(scope, id, [])
  if (!modelId) return done()
  await deps.registry.remove(scope, modelId)
  await deps.store.change(scope, id, ({ modelId: _, ...before }) => before)
  return done()
}
