import { done } from '../../checklists/checklist'
import { BEGIN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { onBatchToSend, pauseMs, undoOf } from '../batch-operation'
import { holdEstimate, keepTurn } from '../reserved'

/** Waits until the deployment has a place for one more batch of this tenant (product 4.5). */
export const turnStep = (deps: BatchDeps): BatchStep => ({
  id: 'turn',
  timeoutMs: BEGIN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatchToSend(deps, async (run) => {
    const againAfterMs = pauseMs(deps, run)
    if (await keepTurn(deps, run, againAfterMs)) return done()
    await holdEstimate(deps, run, run.tenant)
    return { kind: 'not-yet', againAfterMs }
  }),
  undo: undoOf(deps, async ({ id, record: { work } }) => {
    if (work) await deps.lanes.leave(work.backendId, id)
  }),
})
