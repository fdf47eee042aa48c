import { assert } from '../../base/assert'
import { done, type StepOutcome, type UndoOutcome } from '../../checklists/checklist'
import type { Account } from '../../files/account-files'
import { QUOTA_CODE, type AccountBatch } from '../account-batches'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { end, onBatch, onBatchToSend, pauseMs, undoOf, type BatchRun } from '../batch-operation'
import { batchFault, become, ending, type BatchEnd, type BatchRecord, type BatchSending } from '../batch-record'
import { holdEstimate, keepTurn } from '../reserved'

/**
 * After this a request for a batch that got no answer has been heard or never will be (`SmallHttp` gives up before). Until then
 * an account that shows no batch of ours may show one yet.
 */
const HEARD_MS_MAX = 90_000

/** Has the account make the batch, once, and looks at it until it is over. */
export const runStep = (deps: BatchDeps): BatchStep => {
  const order = onBatchToSend(deps, (run) => orderBatch(deps, run))
  return {
    id: 'run',
    timeoutMs: RUN_MS_MAX,
    attemptsMax: STEP_ATTEMPTS_MAX,
    do: (operation) =>
      onBatch(deps, async (run) => {
        const { end: ended, sending, work } = run.record
        if (ended) return done()
        assert(work, 'a batch that has not ended was found sound')
        const { account } = work
        if (sending?.batchId !== undefined) return watchBatch(deps, run, { account, batchId: sending.batchId })
        if (sending?.askedAt !== undefined) return findBatch(deps, run, { account, askedAt: sending.askedAt })
        return order(operation)
      })(operation),
    undo: undoOf(deps, (run) => callOff(deps, run)),
  }
}

const send = (deps: BatchDeps, { scope, id }: BatchRun, change: (sending: BatchSending) => BatchSending) =>
  deps.store.change(scope, id, (record) => ({ ...record, sending: change(record.sending ?? {}) }))
const notAsked = ({ askedAt: _, batchId: __, ...sending }: BatchSending): BatchSending => sending

/** The question is on record before it is asked, and taken back only where the account said no. */
async function orderBatch(deps: BatchDeps, run: BatchRun): Promise<StepOutcome> {
  const { scope, id, record } = run
  const again: StepOutcome = { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
  const account = record.work?.account
  const inputFileId = record.sending?.fileId
  assert(account && inputFileId !== undefined, 'the input was put at the account first')
  const asking = await deps.store.change(scope, id, (before) => {
    if (before.end) return before
    if (before.cancelAskedAt !== undefined) return ending(before, 'cancelled')
    return { ...before, sending: { ...before.sending, askedAt: deps.clock.now() } }
  })
  if (!asking || asking.end) return done()

  const answer = await deps.accounts.create(account, { id, inputFileId, endpoint: record.endpoint })
  switch (answer.kind) {
    case 'batch':
      await send(deps, run, (sending) => ({ ...sending, batchId: answer.batch.id }))
      return again
    case 'unsure':
      deps.log.warn('a batch was asked for without a clear answer', { batchId: id, detail: answer.detail })
      return { kind: 'not-yet', againAfterMs: answer.againMs }
    case 'quota':
      await send(deps, run, notAsked)
      return keepPlace(deps, run)
    case 'missing':
    case 'refused': {
      await send(deps, run, notAsked)
      const code = answer.kind === 'missing' ? 'not_found' : answer.code
      deps.log.warn('an account refused a batch', { batchId: id, code })
      return end(deps, run, 'failed', batchFault(code, 'The model backend refused the batch.'))
    }
  }
}

/** The batch goes on waiting, with what it holds. */
async function keepPlace(deps: BatchDeps, run: BatchRun): Promise<StepOutcome> {
  const againAfterMs = pauseMs(deps, run)
  await keepTurn(deps, run, againAfterMs)
  await holdEstimate(deps, run, await deps.tenantOf(run.scope.tenantId))
  return { kind: 'not-yet', againAfterMs }
}

/** The answer to the order was lost: the account's own list tells what became of it. */
async function findBatch(
  deps: BatchDeps,
  run: BatchRun,
  { account, askedAt }: { account: Account; askedAt: number },
): Promise<StepOutcome> {
  const found = await deps.accounts.find(account, run.id)
  if (found.kind === 'batch') {
    await send(deps, run, (sending) => ({ ...sending, batchId: found.batch.id }))
    return { kind: 'not-yet', againAfterMs: 0 }
  }
  if (found.kind !== 'missing') return { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
  const waitMs = askedAt + HEARD_MS_MAX - deps.clock.now()
  if (waitMs > 0) return { kind: 'not-yet', againAfterMs: Math.min(waitMs, pauseMs(deps, run)) }
  await send(deps, run, notAsked)
  return { kind: 'not-yet', againAfterMs: 0 }
}

async function watchBatch(
  deps: BatchDeps,
  run: BatchRun,
  { account, batchId }: { account: Account; batchId: string },
): Promise<StepOutcome> {
  const answer = await deps.accounts.get(account, batchId)
  if (answer.kind === 'missing')
    return end(deps, run, 'failed', batchFault('not_found', 'The model backend has lost the batch.'))
  if (answer.kind !== 'batch') return keepPlace(deps, run)
  const { batch } = answer
  const over = endOf(batch)
  // Its quota was full after all: it goes back to waiting for room there.
  if (over === 'failed' && batch.faults.some(({ code }) => code === QUOTA_CODE)) {
    await send(deps, run, notAsked)
    return keepPlace(deps, run)
  }
  const nowMs = deps.clock.now()
  const seen = await deps.store.change(run.scope, run.id, (record) => {
    const next = asSeen(record, batch, nowMs)
    return over ? ending(next, over, batch.faults) : next
  })
  if (over || !seen) return done()
  if (await isCalledOff(deps, run, seen)) await deps.accounts.cancel(account, batchId)
  return keepPlace(deps, run)
}

/** Its owner has asked, or leaves the platform. */
async function isCalledOff({ tenantOf }: BatchDeps, { scope }: BatchRun, record: BatchRecord): Promise<boolean> {
  if (record.cancelAskedAt !== undefined) return true
  const tenant = await tenantOf(scope.tenantId)
  return !tenant || tenant.state === 'offboarding'
}

function endOf({ status }: AccountBatch): BatchEnd | undefined {
  const isEnd = status === 'completed' || status === 'failed' || status === 'expired' || status === 'cancelled'
  return isEnd ? status : undefined
}

/** What clients see of it meanwhile: it is over for them only when its files are here and its usage counts. */
function asSeen(record: BatchRecord, batch: AccountBatch, nowMs: number): BatchRecord {
  const { completed, failed } = batch.counts
  const sending = {
    ...record.sending,
    ...(batch.outputFileId === undefined ? {} : { outputFileId: batch.outputFileId }),
    ...(batch.errorFileId === undefined ? {} : { errorFileId: batch.errorFileId }),
  }
  const seen: BatchRecord = { ...record, sending, counts: { ...record.counts, completed, failed } }
  if (record.status === 'cancelling' || batch.status === 'validating' || batch.status === 'failed') return seen
  if (batch.status === 'cancelled' || batch.status === 'cancelling') return become(seen, 'cancelling', nowMs)
  return become(seen, batch.status === 'in_progress' ? 'in_progress' : 'finalizing', nowMs)
}

/** For a checklist that gives up: the account is to do nothing more for it. */
async function callOff(deps: BatchDeps, { id, record }: Pick<BatchRun, 'id' | 'record'>): Promise<UndoOutcome> {
  if (!record.work || record.sending?.askedAt === undefined) return done()
  const { account } = record.work
  const answer =
    record.sending.batchId === undefined
      ? await deps.accounts.find(account, id)
      : await deps.accounts.get(account, record.sending.batchId)
  if (answer.kind === 'missing') return done()
  const again: UndoOutcome = { kind: 'not-yet', againAfterMs: deps.pollMs }
  if (answer.kind !== 'batch') return again
  if (!endOf(answer.batch)) {
    await deps.accounts.cancel(account, answer.batch.id)
    return again
  }
  const { outputFileId, errorFileId } = answer.batch
  for (const fileId of [outputFileId, errorFileId].filter((each) => each !== undefined))
    if ((await deps.outputs.remove(account, fileId)).kind === 'unsure') return again
  return done()
}
