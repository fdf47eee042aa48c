import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { holdEstimate, keepTurn, notYet, onJobToSend, pauseMs, say, undoOf } from '../tuning-run'

/** Waits until the account has a place for one more job of this tenant. */
export const turnStep = (deps: TuningDeps): TuningStep => ({
  id: 'turn',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobToSend(deps, async (run) => {
    if (run.job.sending?.askedAt !== undefined) return done()
    if (await keepTurn(deps, run, { weight: run.tenant.weight, pauseMs: pauseMs(deps, run) })) {
      await say(deps, run, 'turn', 'The job has its turn. Sending its files.')
      return done()
    }
    await say(deps, run, 'waits', 'Job enqueued. Waiting for jobs ahead to complete.')
    await holdEstimate(deps, run, run.tenant)
    return notYet(deps, run)
  }),
  undo: undoOf(deps, async ({ id, job: { account } }) => {
    if (account) await deps.turns.leave(account.resourceId, id)
  }),
})
