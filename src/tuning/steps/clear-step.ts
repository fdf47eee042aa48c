import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { operationOf } from '../tuning-job'
import { isLeftBehind } from '../left-behind'
import { notYet, onJob } from '../tuning-run'

/** Neither the tenant's data nor its results stay at the account; the model alone does. */
export const clearStep = (deps: TuningDeps): TuningStep => ({
  id: 'clear',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJob(deps, async (run) => {
    const { scope, id, job } = run
    const staged = await deps.files.unstage(scope, operationOf(job))
    let isClear = staged.kind === 'gone'
    if (job.account)
      for (const fileId of job.seen?.resultFileIds ?? []) {
        const removed = await deps.outputs.remove(job.account.account, fileId)
        // What it will not delete an operator finds in the log; asking again would not help.
        if (removed.kind === 'refused') deps.log.error('an account keeps results', { jobId: id, code: removed.code })
        if (removed.kind === 'unsure') isClear = false
      }
    return isClear || (await isLeftBehind(deps, run, 'files')) ? done() : notYet(deps, run)
  }),
})
