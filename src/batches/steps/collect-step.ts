import { Problem } from '../../base/problem'
import { done, type StepOutcome } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { onBatch, pauseMs, type BatchRun } from '../batch-operation'
import { accountFileOf, BATCH_FAULTS_MAX, batchFault, outputKinds, type OutputKind } from '../batch-record'

/** How long a batch waits for its tenant to make room for its answers. */
const ROOM_MS_MAX = 24 * 3_600_000

/** What the account has written becomes files of the tenant's. */
export const collectStep = (deps: BatchDeps): BatchStep => ({
  id: 'collect',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatch(deps, async (run) => {
    for (const kind of outputKinds) {
      const wait = await collect(deps, run, kind)
      if (wait) return wait
    }
    return done()
  }),
})

/** Undefined once there is nothing (more) of this kind to be had. */
async function collect(deps: BatchDeps, run: BatchRun, kind: OutputKind): Promise<StepOutcome | undefined> {
  const { scope, id } = run
  const accountFileId = accountFileOf(run.record, kind)
  const account = run.record.work?.account
  if (accountFileId === undefined || !account) return undefined
  const named = await deps.store.change(scope, id, (record) =>
    record.files?.[kind] === undefined ? { ...record, files: { ...record.files, [kind]: deps.ids.fileId() } } : record,
  )
  const fileId = named?.files?.[kind]
  if (fileId === undefined || named?.unkept?.includes(kind)) return undefined
  const found = await deps.outputs.content(account, accountFileId)
  if (found.kind === 'unsure') {
    deps.log.warn('a batch’s file could not be fetched', { batchId: id, detail: found.detail })
    return { kind: 'not-yet', againAfterMs: Math.max(found.againMs, pauseMs(deps, run)) }
  }
  if (found.kind !== 'content') return leaveOut(deps, run, kind, 'The model backend has lost a file of the batch.')
  const made = await deps.files.create(
    scope,
    {
      id: fileId,
      filename: `${id}_${kind === 'output' ? 'output' : 'error'}.jsonl`,
      purpose: 'batch_output',
      expiresAfterSeconds: run.record.outputExpiresAfterSeconds,
      createdBy: run.record.by.callerId,
    },
    found.content,
  )
  if (!(made instanceof Problem)) return undefined
  deps.log.warn('a batch’s file could not be kept', { batchId: id, code: made.code })
  const isLate = deps.clock.now() - run.stepStartedAt > ROOM_MS_MAX
  return isLate ? leaveOut(deps, run, kind, made.public) : { kind: 'not-yet', againAfterMs: pauseMs(deps, run) }
}

async function leaveOut(deps: BatchDeps, { scope, id }: BatchRun, kind: OutputKind, why: string): Promise<undefined> {
  await deps.store.change(scope, id, (record) => ({
    ...record,
    unkept: [...(record.unkept ?? []), kind],
    faults: [...record.faults, batchFault('file_not_kept', why)].slice(0, BATCH_FAULTS_MAX),
  }))
  return undefined
}
