import { assert } from '../../base/assert'
import { done } from '../../checklists/checklist'
import { BEGIN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { readLine, rewriteLine } from '../batch-line'
import { end, onBatchToSend, pauseMs, undoOf } from '../batch-operation'
import { batchFault, type BatchRecord } from '../batch-record'
import { readLines } from '../read-lines'

/** Puts the input at the account, each line with the deployment's name and its cap. */
export const stageStep = (deps: BatchDeps): BatchStep => ({
  id: 'stage',
  timeoutMs: BEGIN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatchToSend(deps, async (run) => {
    const { scope, id, record } = run
    if (record.sending?.fileId !== undefined) return done()
    assert(record.work, 'a batch that has not ended was found sound')
    const backend = (await deps.backends()).get(record.work.backendId)
    if (!backend) return { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
    const staged = await deps.files.stage(scope, record.inputFileId, backend, {
      owner: id,
      purpose: 'batch',
      transform: (content) => rewritten(record, content),
    })
    switch (staged.kind) {
      case 'staged':
        await deps.store.change(scope, id, (before) => ({
          ...before,
          sending: { ...before.sending, fileId: staged.id },
        }))
        return done()
      case 'processing':
        return { kind: 'not-yet', againAfterMs: staged.againMs }
      case 'unsure':
        deps.log.warn('a batch’s input could not be put at its account', { batchId: id, detail: staged.detail })
        return { kind: 'not-yet', againAfterMs: Math.max(staged.againMs, pauseMs(deps, run)) }
      case 'missing':
        return end(deps, run, 'failed', batchFault('invalid_request', NO_FILE, { param: 'input_file_id' }))
      case 'refused':
        deps.log.warn('an account refused a batch’s input', { batchId: id, status: staged.status, code: staged.code })
        return end(deps, run, 'failed', batchFault(staged.code, 'The model backend refused the input file.'))
    }
  }),
  undo: undoOf(deps, async ({ scope, id }) => {
    const gone = await deps.files.unstage(scope, id)
    return gone.kind === 'gone' ? done() : { kind: 'not-yet', againAfterMs: gone.againMs }
  }),
})

const NO_FILE = 'The input file was deleted before the batch began.'
const NEWLINE = Buffer.from('\n')

/** The same bytes each time, whatever is changed of the alias meanwhile. */
async function* rewritten(
  { endpoint, work }: BatchRecord,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  assert(work, 'a batch that is sent was found sound')
  const { cap, deployment } = work
  for await (const fileLine of readLines(content)) {
    const line = readLine(fileLine, endpoint)
    assert(!('code' in line), 'files do not change, and this one was found sound')
    yield Buffer.concat([rewriteLine(line, { alias: cap, deployment }), NEWLINE])
  }
}
