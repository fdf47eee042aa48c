import type { FineTuningConfig } from './fine-tuning-config'
import type { Chosen, JobOrder } from './job-order'
import type { ScannedFile } from './scan-training-file'
import type { Course } from './training-metrics'
import type { LearnedExample } from './tuned-model'

/** How a job will go, once its files are known. */
export interface JobPlan {
  readonly hyperparameters: {
    readonly n_epochs: number
    readonly batch_size: number
    readonly learning_rate_multiplier: number
  }
  readonly course: Course
  readonly stepsPerEpoch: number
  /** Of the training clock. */
  readonly stepMs: number
  readonly learned: readonly LearnedExample[]
  /** What the tuned model says is not fit to be said. */
  readonly harmful: boolean
  /** Tokens that are charged after so many steps. */
  tokensAfter(step: number): number
}

/**
 * How many epochs the service chooses: three, but enough for a hundred examples in all and no more than for 25,000.
 * Source: OpenAI's cookbook on preparing chat data.
 */
function chosenEpochs(examples: number): number {
  if (examples * 3 < 100) return Math.min(25, Math.floor(100 / examples))
  return examples * 3 > 25_000 ? Math.max(1, Math.floor(25_000 / examples)) : 3
}

/** About 0.2 % of the examples. Source: OpenAI's fine-tuning guide. */
const chosenBatch = (examples: number) => Math.min(256, Math.max(1, Math.round(examples * 0.002)))

const or = (chosen: Chosen, otherwise: number) => (chosen === 'auto' ? otherwise : chosen)

export function planJob(
  { order, seed }: { order: JobOrder; seed: number },
  { training, validation }: { training: ScannedFile; validation: ScannedFile | undefined },
  config: FineTuningConfig,
): JobPlan {
  const { examples, tokens, learned, filters } = training
  const epochs = or(order.hyperparameters.n_epochs, chosenEpochs(examples))
  const batch = or(order.hyperparameters.batch_size, chosenBatch(examples))
  const rate = or(order.hyperparameters.learning_rate_multiplier, 1)
  const stepsPerEpoch = Math.ceil(examples / batch)
  const steps = stepsPerEpoch * epochs
  const stepSeconds = Math.max(config.stepSecondsMin, (tokens * epochs) / steps / config.tokensPerSecond)
  return {
    hyperparameters: { n_epochs: epochs, batch_size: batch, learning_rate_multiplier: rate },
    course: { method: order.method, seed, steps, epochs, rate, validated: validation !== undefined },
    stepsPerEpoch,
    stepMs: stepSeconds * 1_000,
    learned,
    harmful: filters.has('completion'),
    tokensAfter: (step) => Math.round((tokens * epochs * step) / steps),
  }
}
