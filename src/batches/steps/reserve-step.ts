import { done } from '../../checklists/checklist'
import { overBudget } from '../../inference/admit'
import { BEGIN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { end, onBatchToSend, pauseMs, undoOf } from '../batch-operation'
import { batchFault } from '../batch-record'
import { holdEstimate, settleEstimate } from '../reserved'

/** Before anything is sent: what the batch may cost is held of its budgets for as long as it takes. */
export const reserveStep = (deps: BatchDeps): BatchStep => ({
  id: 'reserve',
  timeoutMs: BEGIN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatchToSend(deps, async (run) => {
    const held = await holdEstimate(deps, run, run.tenant)
    switch (held.kind) {
      case 'held':
        return done()
      // As many batches of the tenant hold something as may.
      case 'full':
        return { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
      case 'refused':
        deps.budgetWarnings.refused(run.scope, held, deps.clock.now())
        return end(deps, run, 'failed', batchFault('insufficient_quota', overBudget(held).public))
    }
  }),
  undo: undoOf(deps, (run) => settleEstimate(deps, run)),
})
