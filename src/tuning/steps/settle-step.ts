import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { become, ending } from '../tuning-job'
import { onJob, say, settleEstimate } from '../tuning-run'

/** Gives back what the job held, and shows its end. */
export const settleStep = (deps: TuningDeps): TuningStep => ({
  id: 'settle',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJob(deps, async (run) => {
    const { scope, id, job } = run
    await settleEstimate(deps, run)
    if (job.account) await deps.turns.leave(job.account.resourceId, id)
    const { end = 'succeeded', fault } = job
    if (end === 'failed') await say(deps, run, 'end', `The job failed. ${fault?.message ?? ''}`, 'error')
    else await say(deps, run, 'end', `The job ${end === 'cancelled' ? 'was cancelled' : 'succeeded'}.`)
    const ended = await deps.store.change(scope, id, (before) => {
      const next = become(ending(before, end), before.end ?? end)
      return next === before ? before : { ...next, finishedAt: before.finishedAt ?? deps.clock.now() }
    })
    return done(ended ? { ended: ended.status } : undefined)
  }),
})
