import { assert } from '../../base/assert'
import { parseBackendId, type FileId } from '../../base/ids'
import { done, type StepOutcome } from '../../checklists/checklist'
import type { Backend } from '../../routing/backend'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { operationOf, type Sending, type TrainingAccount, type TuningJob } from '../tuning-job'
import { fail, keepTurn, notYet, onJobToSend, pauseMs, undoOf, type TuningRun } from '../tuning-run'

/** Puts the files at the account. Its owner has consented (`TuningJob.consent`), and from here on may take back only copies. */
export const uploadStep = (deps: TuningDeps): TuningStep => ({
  id: 'upload',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobToSend(deps, async (run) => {
    const { job, tenant } = run
    if (job.sending?.askedAt !== undefined) return done()
    if (!(await keepTurn(deps, run, { weight: tenant.weight, pauseMs: pauseMs(deps, run) }))) return notYet(deps, run)
    const { trainingFileId, validationFileId } = job.order
    const wait =
      (await upload(deps, run, trainingFileId, 'trainingFileId')) ??
      (validationFileId && (await upload(deps, run, validationFileId, 'validationFileId')))
    return wait || done()
  }),
  undo: undoOf(deps, async ({ scope, job }) => {
    const gone = await deps.files.unstage(scope, operationOf(job))
    return gone.kind === 'gone' ? done() : { kind: 'not-yet', againAfterMs: gone.againMs }
  }),
})

/** Undefined once the file is there. */
async function upload(
  deps: TuningDeps,
  run: TuningRun,
  fileId: FileId,
  name: 'trainingFileId' | 'validationFileId',
): Promise<StepOutcome | undefined> {
  const { scope, id, job } = run
  if (job.sending?.[name] !== undefined) return undefined
  assert(job.account, 'an account was chosen first')
  const staged = await deps.files.stage(scope, fileId, backendOf(job, job.account), {
    owner: operationOf(job),
    purpose: 'fine-tune',
  })
  switch (staged.kind) {
    case 'staged':
      await deps.store.change(scope, id, (before) => {
        const sending: Sending = { ...before.sending, [name]: staged.id }
        return { ...before, sending }
      })
      return undefined
    case 'processing':
      return { kind: 'not-yet', againAfterMs: staged.againMs }
    case 'unsure':
      deps.log.warn('a training file could not be put at its account', { jobId: id, detail: staged.detail })
      return notYet(deps, run, staged.againMs)
    case 'missing':
      return fail(deps, run, {
        code: 'file_not_found',
        message: 'A file of the job was deleted before it was sent.',
        param: name === 'trainingFileId' ? 'training_file' : 'validation_file',
        next: 'Upload it again and make a new job.',
      })
    case 'refused':
      return fail(deps, run, {
        code: staged.code,
        message: 'The model account refused a file of the job.',
        param: name === 'trainingFileId' ? 'training_file' : 'validation_file',
        next: 'Look at the report of the file; if it has no faults, ask the operators.',
      })
  }
}

/** Copies are told apart by the backend that they are for; a job's is nobody else's, and serves no calls. */
function backendOf({ id }: TuningJob, { account, region }: TrainingAccount): Backend {
  const backendId = parseBackendId(`bke_${id.slice('ftjob-'.length)}`)
  assert(backendId, 'the body of an id makes an id')
  return { ...account, id: backendId, name: id, deployment: '', region, capacity: 'payg', enabled: true }
}
