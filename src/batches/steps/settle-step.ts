import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { onBatch } from '../batch-operation'
import { become } from '../batch-record'
import { settleEstimate } from '../reserved'

/** Gives back what the batch held, and shows its end. */
export const settleStep = (deps: BatchDeps): BatchStep => ({
  id: 'settle',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatch(deps, async (run) => {
    const { scope, id, record } = run
    await settleEstimate(deps, run, record.metering?.used)
    if (record.work) await deps.lanes.leave(record.work.backendId, id)
    const ended = await deps.store.change(scope, id, (before) =>
      become(before, before.end ?? 'failed', deps.clock.now()),
    )
    return done(ended ? { ended: ended.status } : undefined)
  }),
})
