import { assert } from '../../base/assert'
import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { failBy, onJobWanted, say, undoOf } from '../tuning-run'
import { modelNameOf } from '../tuning-view'

/** The model answers under its name, where it is to. */
export const deployStep = (deps: TuningDeps): TuningStep => ({
  id: 'deploy',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobWanted(deps, async (run) => {
    const { scope, id, job } = run
    const { deploy } = job.wishes
    if (!deploy) return done()
    assert(job.modelId, 'what is deployed was registered')
    const deployed = await deps.deployments.ensure(scope, job.modelId, deploy, id)
    if (deployed.kind === 'not-yet') return deployed
    if (deployed.kind === 'failed')
      return failBy(
        deps,
        run,
        deployed.problem,
        'The trained model is kept: retrying the job deploys it without training it again.',
      )
    await say(deps, run, 'deployed', `The model answers calls as ${modelNameOf(job)}.`)
    return done({ model: modelNameOf(job) })
  }),
  undo: undoOf(deps, async ({ scope, id, job: { modelId } }) => {
    if (!modelId) return
    const removed = await deps.deployments.remove(scope, modelId, { kind: 'removed', by: id })
    return removed.kind === 'removed' ? done() : removed
  }),
})
