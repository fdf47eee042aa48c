import type { ScannedFile } from './scan-training-file'
import type { JobOrder } from './job-order'
import type { JobError } from './stored-job'

/** Fewer do not teach anything. Source: Azure's fine-tuning pages. */
const EXAMPLES_MIN = 10
const TRAINED_TOKENS_MAX = 2_000_000_000

/** Why files cannot be trained on; undefined where they can. Codes: the 2024-10-21 specification. */
export function judgeFiles(
  { hyperparameters }: Pick<JobOrder, 'hyperparameters'>,
  { training, validation }: { training: ScannedFile; validation: ScannedFile | undefined },
): JobError | undefined {
  return (
    faultOf(training, 'training_file') ??
    (validation && faultOf(validation, 'validation_file')) ??
    harmOf(training, 'training_file') ??
    (validation && harmOf(validation, 'validation_file')) ??
    sizeOf(training, hyperparameters.n_epochs === 'auto' ? 1 : hyperparameters.n_epochs)
  )
}

/** What is wrong with a file's lines. */
export function faultOf(file: ScannedFile, param: 'training_file' | 'validation_file'): JobError | undefined {
  const what = param === 'training_file' ? 'training' : 'validation'
  const invalid = (message: string) => ({ code: 'jsonlValidationFailed', message, param })
  if (file.faultyLines > 0) {
    const named = file.faults.map(({ line, reason }) => `Line ${line}: ${reason}.`).join(' ')
    const others = file.faultyLines - file.faults.length
    return invalid(
      `Validation of the ${what} file failed. ${named}${others > 0 ? ` ${others} more lines are invalid.` : ''}`,
    )
  }
  if (file.examples === 0) return invalid(`Validation of the ${what} file failed. The file is empty.`)
  if (param === 'validation_file' || file.examples >= EXAMPLES_MIN) return undefined
  return invalid(`The ${what} file has ${file.examples} example(s), but must have at least ${EXAMPLES_MIN} examples.`)
}

function harmOf({ filters }: ScannedFile, param: string): JobError | undefined {
  const types = [
    ...(filters.has('jailbreak') ? ['jailbreak'] : []),
    ...(filters.has('prompt') ? ['hate_fairness', 'self_harm', 'violence'] : []),
  ]
  if (types.length === 0) return undefined
  // The wording: Azure's page on the safety evaluation of fine-tuning.
  const message = `The provided training data failed RAI checks for harm types: [${types.join(', ')}]. Please fix the data and try again.`
  return { code: 'contentFilter', message, param }
}

function sizeOf({ tokens }: ScannedFile, epochs: number): JobError | undefined {
  if (tokens * epochs <= TRAINED_TOKENS_MAX) return undefined
  const message = `The training would take ${tokens * epochs} tokens; a job may take ${TRAINED_TOKENS_MAX}.`
  return { code: 'quotaExceeded', message, param: 'training_file' }
}

/** After the training: what the model was taught is not fit to be said. */
export const harmfulModel: JobError = {
  code: 'contentFilter',
  message:
    'The fine-tuned model failed RAI checks for harm types: [hate_fairness, self_harm, violence]. It cannot be deployed. Please fix the training data and try again.',
  param: 'training_file',
}
