import type { DatasetReport, DatasetRole } from '../../datasets/dataset-report'
import { validateDataset } from '../../datasets/validate-dataset'
import { done } from '../../checklists/checklist'
import { ending, isOver, become, type DatasetFacts, type TuningJob } from '../tuning-job'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { fail, onJobToSend, say, undoOf, type TuningRun } from '../tuning-run'

/** Reads both files to their ends; nothing is sent of a job whose data is not sound. */
export const checkStep = (deps: TuningDeps): TuningStep => ({
  id: 'check',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobToSend(deps, async (run) => {
    const { scope, id, job } = run
    if (job.checked) return done()
    await say(deps, run, 'created', 'Created fine-tuning job. Checking its files.')
    const training = await check(deps, run, 'training')
    if (!training) return fail(deps, run, missing('training_file'))
    if (!training.valid) return fail(deps, run, faulty('training_file', training))
    const validation = job.order.validationFileId === undefined ? undefined : await check(deps, run, 'validation')
    if (validation === undefined && job.order.validationFileId !== undefined)
      return fail(deps, run, missing('validation_file'))
    if (validation && !validation.valid) return fail(deps, run, faulty('validation_file', validation))
    await deps.store.change(scope, id, (before) =>
      before.checked ? before : become({ ...before, checked: checkedOf(before, training, validation) }, 'queued'),
    )
    await say(deps, run, 'checked', `Files checked: ${training.totals.examples} examples. Waiting for a turn.`)
    return done({ examples: String(training.totals.examples) })
  }),
  // The checklist gave up, which no job does on its own account.
  undo: undoOf(deps, async ({ scope, id }) => {
    const fault = {
      code: 'internal_error',
      message: 'The job could not be brought to its end.',
      param: null,
      next: RETRY,
    }
    await deps.store.change(scope, id, (job) => {
      if (isOver(job)) return job
      const { end: _, ...given } = job
      return { ...become(ending(given, 'failed', fault), 'failed'), finishedAt: deps.clock.now() }
    })
  }),
})

const RETRY = 'Retry the job; if it fails again, ask the operators.'

async function check(
  { files, store, trainingPrices }: TuningDeps,
  { scope, id, job: { order } }: TuningRun,
  role: DatasetRole,
): Promise<DatasetReport | undefined> {
  const fileId = role === 'training' ? order.trainingFileId : order.validationFileId
  const file = fileId && (await files.read(scope, fileId))
  if (!file) return undefined
  const epochs = order.hyperparameters['n_epochs']
  const { report } = await validateDataset(file.content, {
    method: order.method,
    baseModel: order.baseModel,
    role,
    scanPii: true,
    trainingType: order.trainingType,
    prices: trainingPrices,
    ...(typeof epochs === 'number' ? { epochs } : {}),
  })
  await store.putReport(scope, id, report)
  return report
}

function checkedOf(
  { order }: TuningJob,
  training: DatasetReport,
  validation: DatasetReport | undefined,
): NonNullable<TuningJob['checked']> {
  const { price, epochs } = training
  const tokens = Math.round((training.tokens.total + training.tokens.margin) * Math.max(1, epochs))
  const microUsd =
    price?.kind === 'tokens' ? price.microUsd + price.marginMicroUsd : price?.kind === 'hours' ? price.pauseMicroUsd : 0
  return {
    training: factsOf(order.trainingFileId, training),
    ...(validation && order.validationFileId ? { validation: factsOf(order.validationFileId, validation) } : {}),
    epochs,
    estimate: { tokens, microUsd },
  }
}

const factsOf = (
  fileId: DatasetFacts['fileId'],
  { contentHash, totals, tokens, faults }: DatasetReport,
): DatasetFacts => ({
  fileId,
  contentHash: contentHash ?? 'sha256:',
  examples: totals.examples,
  tokens: tokens.total,
  faults: { errors: faults.errors, warnings: faults.warnings },
})

const missing = (param: string) => ({
  code: 'file_not_found',
  message: `The ${param.replace('_', ' ')} was deleted before it was read.`,
  param,
  next: 'Upload it again and make a new job.',
})

/** The first faults say enough to begin with; the report has them all. */
const FAULTS_SHOWN = 3

function faulty(param: string, { faults }: DatasetReport) {
  const shown = faults.listed
    .filter(({ severity }) => severity === 'error')
    .slice(0, FAULTS_SHOWN)
    .map(({ line, path, reason }) => `${line === undefined ? 'file' : `line ${line}`}${path && `, ${path}`}: ${reason}`)
  return {
    code: 'invalid_training_file',
    message: `The ${param.replace('_', ' ')} has ${faults.errors} faults. ${shown.join(' ')}`,
    param,
    next: 'Mend the file, upload it again and make a new job.',
  }
}
