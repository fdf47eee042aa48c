import { assert } from '../../base/assert'
import { done, type StepOutcome } from '../../checklists/checklist'
import type { ModelStage, StageOf } from '../../registry/model-stages'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import type { TuningWishes } from '../tuning-job'
import { fail, failBy, notYet, onJobWanted, say, undoOf, type TuningRun } from '../tuning-run'

type StageName = 'evaluate' | 'gate' | 'route'
type WishOf<Name extends StageName> = NonNullable<TuningWishes[Name]>

/** Evaluation, gate and route, as others do them; passed over where nobody asked for it. */
export const stageSteps = (deps: TuningDeps): readonly TuningStep[] => [
  stageStep(deps, 'evaluate', deps.stages.evaluate),
  stageStep(deps, 'gate', deps.stages.gate),
  stageStep(deps, 'route', deps.stages.route),
]

function stageStep<Name extends StageName>(
  deps: TuningDeps,
  name: Name,
  stage: ModelStage<WishOf<Name>> | undefined,
): TuningStep {
  const stageOf = (run: Omit<TuningRun, 'stepStartedAt'>, startedAt: number): StageOf<WishOf<Name>> | undefined => {
    const { scope, id: jobId, job } = run
    const decision = typeof job.approval === 'object' ? job.approval : undefined
    const wish = job.wishes[name] as WishOf<Name> | undefined
    if (wish === undefined || !job.modelId) return undefined
    return { scope, jobId, modelId: job.modelId, wish, startedAt, ...(decision ? { decision } : {}) }
  }
  return {
    id: name,
    timeoutMs: RUN_MS_MAX,
    attemptsMax: STEP_ATTEMPTS_MAX,
    do: onJobWanted(deps, async (run) => {
      const asked = stageOf(run, run.stepStartedAt)
      if (!asked) return done()
      assert(stage, `a job with "${name}" is taken only where there is such a stage`)
      const outcome = await stage.do(asked)
      if (outcome.kind === 'needs-decision') return waitForDecision(deps, run, outcome.timeoutMs)
      if (outcome.kind !== 'refused') return outcome
      return failBy(
        deps,
        run,
        outcome.problem,
        'The model is kept and answers under its name: promote it by hand, or train another.',
      )
    }),
    undo: undoOf(deps, async (run) => {
      const asked = stageOf(run, 0)
      return asked && stage?.undo ? stage.undo(asked) : done()
    }),
  }
}

/**
 * The decision is kept in the job's record: one that comes while a host is down, or before anybody waits for it, is not lost, and
 * one that does not come ends the job rather than undoing it.
 */
async function waitForDecision(deps: TuningDeps, run: TuningRun, timeoutMs: number): Promise<StepOutcome> {
  const { scope, id, stepStartedAt } = run
  if (deps.clock.now() - stepStartedAt > timeoutMs) return fail(deps, run, notDecided)
  await deps.store.change(scope, id, (job) => (job.approval === undefined ? { ...job, approval: 'asked' } : job))
  await say(deps, run, 'approval', 'The model waits for approval.')
  return notYet(deps, run)
}

const notDecided = {
  code: 'not_decided',
  message: 'Nobody approved the model in time.',
  next: 'The model is kept and answers under its name: promote it by hand, or retry the job to be asked again.',
}
