import { done } from '../../checklists/checklist'
import { overBudget } from '../../inference/admit'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { failBy, holdEstimate, notYet, onJobToSend, settleEstimate, undoOf } from '../tuning-run'

/** Before anything is sent: what the training may cost is held of its budgets for as long as it takes. */
export const reserveStep = (deps: TuningDeps): TuningStep => ({
  id: 'reserve',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobToSend(deps, async (run) => {
    if (run.job.sending?.askedAt !== undefined) return done()
    const held = await holdEstimate(deps, run, run.tenant)
    switch (held.kind) {
      case 'held':
        return done()
      // As much of the tenant's holds something as may.
      case 'full':
        return notYet(deps, run)
      case 'refused':
        deps.budgetWarnings.refused(run.scope, held, deps.clock.now())
        return failBy(deps, run, overBudget(held), 'Raise the budget or wait until it renews, then retry the job.')
    }
  }),
  undo: undoOf(deps, (run) => settleEstimate(deps, run)),
})
