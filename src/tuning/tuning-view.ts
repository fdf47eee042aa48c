import { modelIdOf, tunedModelName } from '../registry/model-version'
import type { AccountCheckpoint } from './account-job'
import { ourIdOf, type TuningEvent } from './tuning-events'
import { isOver, type TuningJob } from './tuning-job'

/** By what name its tenant calls the model of a job, once there is one. */
export const modelNameOf = ({ id, order }: Pick<TuningJob, 'id' | 'order'>) => tunedModelName(modelIdOf(id), order)

/** A job as clients see it: OpenAI's object with Azure's `trainingType` (azure-facts 3.3), and our ids. Times in Unix seconds. */
export function tuningJobView(job: TuningJob) {
  const { order, seen, fault, status } = job
  const { method } = order
  const used = { ...order.hyperparameters, ...seen?.hyperparameters }
  const shown = {
    n_epochs: used['n_epochs'] ?? 'auto',
    batch_size: used['batch_size'] ?? 'auto',
    learning_rate_multiplier: used['learning_rate_multiplier'] ?? 'auto',
  }
  return {
    id: job.id,
    object: 'fine_tuning.job' as const,
    created_at: seconds(job.createdAt) ?? 0,
    finished_at: isOver(job) ? seconds(job.finishedAt) : null,
    model: order.model,
    // Also of a job that failed behind its training: the model is kept.
    fine_tuned_model: isOver(job) && job.modelId !== undefined ? modelNameOf(job) : null,
    organization_id: '',
    status,
    training_file: order.trainingFileId,
    validation_file: order.validationFileId ?? null,
    result_files: job.results === 'kept' && job.resultFileId !== undefined ? [job.resultFileId] : [],
    hyperparameters: shown,
    method: {
      type: method,
      [method]: {
        hyperparameters: { ...used, ...shown },
        ...(order.grader ? { grader: order.grader } : {}),
        ...(order.responseFormat ? { response_format: order.responseFormat } : {}),
      },
    },
    trained_tokens: isOver(job) ? (seen?.trainedTokens ?? null) : null,
    seed: seen?.seed ?? order.seed ?? 0,
    suffix: order.suffix ?? null,
    trainingType: order.trainingType,
    estimated_finish: isOver(job) ? null : seconds(seen?.estimatedFinish),
    integrations: [],
    metadata: order.metadata ?? null,
    error:
      fault && isOver(job) ? { code: fault.code, message: `${fault.message} ${fault.next}`, param: fault.param } : null,
  }
}

export const tuningEventView = ({ id, createdAt, level, message, type, data }: TuningEvent) => ({
  id,
  object: 'fine_tuning.job.event' as const,
  created_at: seconds(createdAt) ?? 0,
  level,
  message,
  type,
  data,
})

export const tuningCheckpointView = (job: TuningJob, { id, createdAt, step, metrics }: AccountCheckpoint) => ({
  id: ourIdOf('ftckpt-', job.id, id),
  object: 'fine_tuning.job.checkpoint' as const,
  created_at: seconds(createdAt) ?? 0,
  fine_tuned_model_checkpoint: `${modelNameOf(job)}:ckpt-step-${step}`,
  fine_tuning_job_id: job.id,
  step_number: step,
  metrics,
})

const seconds = (timeMs: number | undefined) => (timeMs === undefined ? null : Math.floor(timeMs / 1_000))
