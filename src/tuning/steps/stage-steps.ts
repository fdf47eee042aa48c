import { assert, assertNever } from '../../base/assert'
import { done, type StepOutcome, type UndoOutcome } from '../../checklists/checklist'
import type { ModelStage, StageOf } from '../../registry/model-stages'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { operationOf, type TuningWishes } from '../tuning-job'
import { fail, failBy, notYet, onJobWanted, pauseMs, say, undoOf, type TuningRun } from '../tuning-run'

type StageName = 'evaluate' | 'gate' | 'route'
type WishOf<Name extends StageName> = NonNullable<TuningWishes[Name]>
type Run = Omit<TuningRun, 'stepStartedAt'>

/** Evaluation, gate and route, as others do them; passed over where nobody asked for it. */
export const stageSteps = (deps: TuningDeps): readonly TuningStep[] => [
  stageStep(deps, 'evaluate', deps.stages.evaluate),
  stageStep(deps, 'gate', deps.stages.gate),
  stageStep(deps, 'route', deps.stages.route),
]

/** What the stages have made for a job is taken back, the last one's first; `done` once nothing of it is left. */
export async function undoStages({ stages }: Pick<TuningDeps, 'stages'>, run: Run): Promise<UndoOutcome> {
  for (const undo of [
    () => undoStage('route', stages.route, run),
    () => undoStage('gate', stages.gate, run),
    () => undoStage('evaluate', stages.evaluate, run),
  ]) {
    const undone = await undo()
    if (undone.kind === 'not-yet') return undone
  }
  return done()
}

function stageStep<Name extends StageName>(
  deps: TuningDeps,
  name: Name,
  stage: ModelStage<WishOf<Name>> | undefined,
): TuningStep {
  return {
    id: name,
    timeoutMs: RUN_MS_MAX,
    attemptsMax: STEP_ATTEMPTS_MAX,
    do: onJobWanted(deps, async (run) => {
      const asked = stageOf(name, run, run.stepStartedAt)
      if (!asked) return done()
      assert(stage, `a job with "${name}" is taken only where there is such a stage`)
      const outcome = await stage.do(asked)
      switch (outcome.kind) {
        case 'done':
          if (outcome.said !== undefined) await say(deps, run, name, outcome.said)
          return done()
        case 'not-yet':
          // A stage may look less often than its owner calls the job off.
          return { kind: 'not-yet', againAfterMs: Math.min(outcome.againAfterMs, pauseMs(deps, run)) }
        case 'needs-decision':
          return waitForDecision(deps, run, outcome.timeoutMs)
        case 'refused':
          return failBy(
            deps,
            run,
            outcome.problem,
            'The model is kept and answers under its name: promote it by hand, or train another.',
          )
        default:
          return assertNever(outcome)
      }
    }),
    undo: undoOf(deps, (run) => undoStage(name, stage, run)),
  }
}

async function undoStage<Name extends StageName>(
  name: Name,
  stage: ModelStage<WishOf<Name>> | undefined,
  run: Run,
): Promise<UndoOutcome> {
  const asked = stageOf(name, run, 0)
  return asked && stage?.undo ? stage.undo(asked) : done()
}

/** Undefined where nobody asked for the stage, or there is no model to do it with. */
function stageOf<Name extends StageName>(
  name: Name,
  { scope, id: jobId, job }: Run,
  startedAt: number,
): StageOf<WishOf<Name>> | undefined {
  const wish = job.wishes[name] as WishOf<Name> | undefined
  if (wish === undefined || !job.modelId) return undefined
  const decision = typeof job.approval === 'object' ? job.approval : undefined
  return {
    scope,
    jobId,
    operationId: operationOf(job),
    modelId: job.modelId,
    wish,
    by: job.by,
    startedAt,
    ...(decision ? { decision } : {}),
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
