import type { DatasetReport, DatasetRole } from '../../datasets/dataset-report'
import type { CheckedFile, ReadFile } from '../../datasets/checked-files'
import type { Estimate } from '../../datasets/example-sketch'
import { done, type StepOutcome } from '../../checklists/checklist'
import { ending, isOver, become, type DatasetFacts, type TuningJob } from '../tuning-job'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { fail, notYet, onJobToSend, say, undoOf, type TuningRun } from '../tuning-run'

/**
 * Reads both files to their ends, or takes the reports of those that were read before; nothing is sent of a job whose data is not
 * sound. Its owner has consented (`TuningJob.consent`); what was found stays with the job, also where the datasets are deleted.
 */
export const checkStep = (deps: TuningDeps): TuningStep => ({
  id: 'check',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJobToSend(deps, async (run) => {
    const { scope, id, job } = run
    if (job.checked) return done()
    await say(deps, run, 'created', 'Created fine-tuning job. Checking its files.')
    const training = await check(deps, run, 'training')
    if (training.kind !== 'checked') return unchecked(deps, run, training, 'training_file')
    if (!training.report.valid) return fail(deps, run, faulty('training_file', training.report))
    const validation = job.order.validationFileId === undefined ? undefined : await check(deps, run, 'validation')
    if (validation && validation.kind !== 'checked') return unchecked(deps, run, validation, 'validation_file')
    if (validation && !validation.report.valid) return fail(deps, run, faulty('validation_file', validation.report))
    const leaked = validation && (await compare(deps, run, { training, validation }))
    await sayPii(deps, run, { training, validation })
    await deps.store.change(scope, id, (before) =>
      before.checked
        ? before
        : become({ ...before, checked: checkedOf(before, { training, validation, leaked }) }, 'queued'),
    )
    const { examples } = training.report.totals
    await say(deps, run, 'checked', `Files checked: ${examples} examples. Waiting for a turn.`)
    return done({ examples: String(examples) })
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
  { checkedFiles, store }: TuningDeps,
  { scope, id, job: { order, by } }: TuningRun,
  role: DatasetRole,
): Promise<CheckedFile> {
  const fileId = role === 'training' ? order.trainingFileId : order.validationFileId
  if (fileId === undefined) return { kind: 'missing' }
  const { method, baseModel, trainingType, hyperparameters } = order
  const asked = hyperparameters['n_epochs']
  const epochs = typeof asked === 'number' ? asked : undefined
  const wanted = { fileId, by: by.callerId, method, baseModel, role, trainingType, epochs }
  const checked = await checkedFiles.check(scope, wanted)
  if (checked.kind === 'checked') await store.putReport(scope, id, checked.report)
  return checked
}

/** It is looked at again once who reads it has read it; one that is gone ends the job. */
const unchecked = (
  deps: TuningDeps,
  run: TuningRun,
  { kind }: Exclude<CheckedFile, { kind: 'checked' }>,
  param: string,
): Promise<StepOutcome> | StepOutcome => (kind === 'busy' ? notYet(deps, run) : fail(deps, run, missing(param)))

interface BothFiles {
  readonly training: ReadFile
  readonly validation: ReadFile | undefined
}

/** What of the validation data is trained on too: no fault, but its figures will say more of memory than of learning. */
async function compare(
  deps: TuningDeps,
  run: TuningRun,
  both: { training: ReadFile; validation: ReadFile },
): Promise<Estimate | undefined> {
  const found = await deps.checkedFiles.compare(run.scope, both)
  if (!found) return undefined
  const { lines } = found.leaked
  const text = `${lines} lines of the validation file are in the training file too: what is measured with them is remembered, not learned.`
  if (lines > 0) await say(deps, run, 'leakage', text, 'warn')
  return found.leaked
}

async function sayPii(deps: TuningDeps, run: TuningRun, { training, validation }: BothFiles): Promise<void> {
  const lines = piiLinesOf(training) + (validation ? piiLinesOf(validation) : 0)
  const text = `${lines} lines have identifying data; the reports of the files say of which kinds, and where.`
  if (lines > 0) await say(deps, run, 'pii', text, 'warn')
}

const piiLinesOf = ({ report }: ReadFile): number => report.pii?.lines ?? 0

function checkedOf(
  { order }: TuningJob,
  { training, validation, leaked }: BothFiles & { readonly leaked: Estimate | undefined },
): NonNullable<TuningJob['checked']> {
  const { price, epochs, tokens: counted } = training.report
  const tokens = Math.round((counted.total + counted.margin) * Math.max(1, epochs))
  const microUsd =
    price?.kind === 'tokens' ? price.microUsd + price.marginMicroUsd : price?.kind === 'hours' ? price.pauseMicroUsd : 0
  return {
    training: factsOf(order.trainingFileId, training),
    ...(validation && order.validationFileId ? { validation: factsOf(order.validationFileId, validation) } : {}),
    epochs,
    ...(leaked ? { leaked } : {}),
    estimate: { tokens, microUsd },
  }
}

const factsOf = (
  fileId: DatasetFacts['fileId'],
  { report: { contentHash, totals, tokens, faults, pii }, dataset }: ReadFile,
): DatasetFacts => ({
  fileId,
  ...(dataset ? { datasetId: dataset.id } : {}),
  piiLines: pii?.lines ?? 0,
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
