import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { onBatch, pauseMs } from '../batch-operation'

/** Nothing of the tenant's stays at the account: neither its requests nor their answers. */
export const clearStep = (deps: BatchDeps): BatchStep => ({
  id: 'clear',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatch(deps, async (run) => {
    const { scope, id, record } = run
    const { sending, work } = record
    const staged = await deps.files.unstage(scope, id)
    const fileIds = [sending?.outputFileId, sending?.errorFileId].filter((fileId) => fileId !== undefined)
    let isClear = staged.kind === 'gone'
    if (work)
      for (const fileId of fileIds) {
        const removed = await deps.outputs.remove(work.account, fileId)
        // What it will not delete an operator finds in the log; asking again would not help.
        if (removed.kind === 'refused') deps.log.error('an account keeps a batch’s file', { batchId: id, ...removed })
        if (removed.kind === 'unsure') isClear = false
      }
    return isClear ? done() : { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
  }),
})
