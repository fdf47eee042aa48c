import { newHexId } from '../answer-id'
import type { JsonObject } from '../json-value'
import type { Family } from '../route'
import type { JobOrder } from './job-order'
import type { JobPlan } from './job-plan'
import type { StepMetrics } from './training-metrics'
import type { LearnedExample } from './tuned-model'

/** What a fault of the configuration, or a rule of the service, does to a job when its time comes. */
export type Strike =
  | { readonly kind: 'fail'; readonly error: JobError }
  | { readonly kind: 'lose' | 'stick' }
  /** The service's own: a training by the hour waits when it has cost too much. */
  | { readonly kind: 'cost' }

export interface JobError {
  readonly code: string
  readonly message: string
  readonly param: string | null
}

/** Where a job is. Times are the training clock's. */
export type JobState =
  | {
      readonly kind: 'validating' | 'starting' | 'finishing'
      readonly dueMs: number
      readonly strike: Strike | undefined
    }
  /** `again` of one that was paused. */
  | { readonly kind: 'queued'; readonly sinceMs: number; readonly strike: Strike | undefined; readonly again: boolean }
  | {
      readonly kind: 'training'
      readonly startedMs: number
      readonly fromStep: number
      readonly stop: { readonly step: number; readonly strike: Strike } | undefined
    }
  | { readonly kind: 'pausing'; readonly dueMs: number }
  | { readonly kind: 'paused' }
  | { readonly kind: 'succeeded' | 'cancelled' | 'failed' }

export interface JobEvent {
  readonly id: string
  readonly object: 'fine_tuning.job.event'
  readonly created_at: number
  readonly level: 'info' | 'warning' | 'error'
  readonly message: string
  readonly type: 'message' | 'metrics'
  readonly data: JsonObject
}

export interface Checkpoint {
  readonly id: string
  readonly createdAt: number
  readonly model: string
  readonly step: number
  readonly metrics: StepMetrics
}

/** The oldest are forgotten. */
const EVENTS_MAX = 10_000
/** Of the last epochs, and one more for each pause. */
const CHECKPOINTS_MAX = 3

/** One job from its creation on. */
export class StoredJob {
  readonly id = newHexId('ftjob-', 32)
  readonly order: JobOrder
  readonly seed: number
  /** What the model knew that is trained further. */
  readonly learnedBefore: readonly LearnedExample[]
  readonly #createdAt = nowSeconds()
  readonly events: JobEvent[] = []
  checkpoints: readonly Checkpoint[] = []
  /** Known once the files are validated. */
  plan: JobPlan | undefined
  stepsDone = 0
  /** A training by the hour is paused for its cost once; whoever resumes it knows. */
  costPaused = false
  resultFileId: string | null = null
  /** The part of its model's name that is its own. */
  readonly modelHex = newHexId('', 32)
  fineTunedModel: string | null = null
  #state: JobState
  #error: JobError | null = null
  #finishedAt: number | null = null

  constructor(order: JobOrder, begun: { seed: number; learnedBefore: readonly LearnedExample[]; state: JobState }) {
    this.order = order
    this.seed = begun.seed
    this.learnedBefore = begun.learnedBefore
    this.#state = begun.state
  }

  get state(): JobState {
    return this.#state
  }

  get isOver(): boolean {
    const { kind } = this.#state
    return kind === 'succeeded' || kind === 'cancelled' || kind === 'failed'
  }

  /** Goes on to a state; what is over stays so. */
  become(state: JobState): void {
    if (this.isOver) return
    this.#state = state
    if (this.isOver) this.#finishedAt = nowSeconds()
  }

  fail(error: JobError): void {
    this.say(error.message, 'error')
    this.#error = error
    this.become({ kind: 'failed' })
  }

  say(message: string, level: JobEvent['level'] = 'info', data?: JsonObject): void {
    this.events.push({
      id: newHexId('ftevent-', 32),
      object: 'fine_tuning.job.event',
      created_at: nowSeconds(),
      level,
      message,
      type: data === undefined ? 'message' : 'metrics',
      data: data ?? {},
    })
    if (this.events.length > EVENTS_MAX) this.events.shift()
  }

  /** Returns those that are not kept any longer. */
  keepCheckpoint(checkpoint: Checkpoint): readonly Checkpoint[] {
    const others = this.checkpoints.filter(({ step }) => step !== checkpoint.step)
    const all = [...others, checkpoint]
    this.checkpoints = all.slice(-CHECKPOINTS_MAX)
    return all.slice(0, -CHECKPOINTS_MAX)
  }

  /** The classic family has one word for all that comes before training. */
  status(family: Family): string {
    const { kind } = this.#state
    switch (kind) {
      case 'validating':
        return family === 'classic' ? 'pending' : 'validating_files'
      case 'queued':
        return this.#state.again ? 'resuming' : family === 'classic' ? 'pending' : 'queued'
      case 'starting':
      case 'training':
      case 'finishing':
        return 'running'
      default:
        return kind
    }
  }

  /** As its own address shows it; `finishesAt` in Unix seconds, where it can be told. */
  object(family: Family, finishesAt: number | null): JsonObject & { readonly id: string } {
    const { order, plan } = this
    const hyperparameters = plan ? { ...order.hyperparameters, ...plan.hyperparameters } : order.hyperparameters
    const shown = { ...hyperparameters, ...order.methodParameters }
    const options = { hyperparameters: shown, ...(order.grader === undefined ? {} : { grader: order.grader }) }
    return {
      id: this.id,
      object: 'fine_tuning.job',
      created_at: this.#createdAt,
      finished_at: this.#finishedAt,
      model: order.model,
      fine_tuned_model: this.fineTunedModel,
      status: this.status(family),
      training_file: order.trainingFileId,
      validation_file: order.validationFileId,
      result_files: this.resultFileId === null ? [] : [this.resultFileId],
      hyperparameters,
      method: { type: order.method, [order.method]: options },
      trainingType: order.trainingType,
      trained_tokens: this.isOver && plan !== undefined ? plan.tokensAfter(this.stepsDone) : null,
      seed: this.seed,
      suffix: order.suffix,
      estimated_finish: this.isOver ? null : finishesAt,
      integrations: [],
      metadata: order.metadata,
      error: this.#error,
    }
  }

  checkpointObject({ id, createdAt, model, step, metrics }: Checkpoint): JsonObject & { readonly id: string } {
    return {
      id,
      object: 'fine_tuning.job.checkpoint',
      created_at: createdAt,
      fine_tuned_model_checkpoint: model,
      step_number: step,
      metrics: { step, ...metrics },
      fine_tuning_job_id: this.id,
    }
  }
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000)
