import { assert } from '../../base/assert'
import { done } from '../../checklists/checklist'
import type { ModelStage, StageOf } from '../../registry/model-stages'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import type { TuningWishes } from '../tuning-job'
import { failBy, onJobWanted, undoOf, type TuningRun } from '../tuning-run'

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
    const { scope, id: jobId, job, decision } = run
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
