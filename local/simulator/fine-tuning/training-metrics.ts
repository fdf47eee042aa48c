import { mixHash, seededRandom } from '../random'
import type { TrainingMethod } from './trainable-models'

/** What is measured at a step; columns of the results and of checkpoints. Absent where it is not measured. */
export type StepMetrics = Readonly<Record<string, number>>

/** A training whose course is drawn. */
export interface Course {
  readonly method: TrainingMethod
  readonly seed: number
  readonly steps: number
  readonly epochs: number
  readonly rate: number
  readonly validated: boolean
}

/** Loss before the first step and after endless ones, accuracy likewise. */
const LOSS = { first: 2.1, least: 0.18 }
const ACCURACY = { first: 0.52, most: 0.97 }
const REWARD = { first: 0.31, most: 0.88 }
const NOISE = 0.12
/** From here on what is held back gets worse while what is trained on gets better. */
const OVERFIT_EPOCHS = 6
const REASONING_TOKENS = 420

const VALIDATED_EVERY = 10

/**
 * The metrics of one step: a loss that falls exponentially with noise, the same for the same seed. Names: Azure's page on
 * the results file; `full_*` at the ends of epochs.
 */
export function metricsAt(course: Course, step: number): StepMetrics {
  const { steps, epochs, rate, seed, method, validated } = course
  const random = seededRandom(mixHash(seed, step))
  const epochsDone = (step / steps) * epochs
  const learned = 1 - Math.exp(-0.9 * epochsDone * Math.sqrt(rate))
  const noise = () => (random() - 0.5) * 2 * NOISE * (1 - 0.7 * learned)
  const isEpochEnd = step === steps || Math.floor(epochsDone) > Math.floor(((step - 1) / steps) * epochs)
  const isValidated = validated && (step % VALIDATED_EVERY === 0 || isEpochEnd)
  if (method === 'reinforcement') {
    const reward = () => rounded(clamped(mixed(REWARD.first, REWARD.most, learned) + noise() / 2))
    const thought = () => Math.round(REASONING_TOKENS * (1 + learned / 2 + noise()))
    return {
      train_reward_mean: reward(),
      train_reasoning_tokens_mean: thought(),
      ...(isValidated ? { valid_reward_mean: reward(), valid_reasoning_tokens_mean: thought() } : {}),
    }
  }
  const loss = (share: number) => rounded(Math.max(0.01, mixed(LOSS.first, LOSS.least, share) * (1 + noise())))
  const accuracy = (share: number) => rounded(clamped(mixed(ACCURACY.first, ACCURACY.most, share) + noise() / 4))
  const overfit = Math.max(0, epochsDone - OVERFIT_EPOCHS) * 0.02
  const heldBack = Math.max(0, learned * 0.92 - overfit)
  return {
    train_loss: loss(learned),
    train_mean_token_accuracy: accuracy(learned),
    ...(isValidated ? { valid_loss: loss(heldBack), valid_mean_token_accuracy: accuracy(heldBack) } : {}),
    ...(validated && isEpochEnd
      ? { full_valid_loss: loss(heldBack), full_valid_mean_token_accuracy: accuracy(heldBack) }
      : {}),
  }
}

const mixed = (from: number, to: number, share: number) => from + (to - from) * share
const clamped = (share: number) => Math.min(1, Math.max(0, share))
const rounded = (value: number) => Math.round(value * 1e5) / 1e5

const lossColumns = [
  ['train_loss', 'train_loss'],
  ['train_mean_token_accuracy', 'train_mean_token_accuracy'],
  ['valid_loss', 'valid_loss'],
  // The file calls it otherwise than checkpoints do.
  ['validation_mean_token_accuracy', 'valid_mean_token_accuracy'],
  ['full_valid_loss', 'full_valid_loss'],
  ['full_valid_mean_token_accuracy', 'full_valid_mean_token_accuracy'],
] as const
const rewardColumns = [
  ['train_reward_mean', 'train_reward_mean'],
  ['valid_reward_mean', 'valid_reward_mean'],
  ['train_reasoning_tokens_mean', 'train_reasoning_tokens_mean'],
  ['valid_reasoning_tokens_mean', 'valid_reasoning_tokens_mean'],
] as const

/** Rows of a results file; a longer training is thinned out evenly. */
const ROWS_MAX = 20_000

/** The text of `results.csv`, up to a step. */
export function resultsCsv(course: Course, stepsDone: number): string {
  const columns = course.method === 'reinforcement' ? rewardColumns : lossColumns
  const every = Math.ceil(stepsDone / ROWS_MAX)
  const rows = [['step', ...columns.map(([header]) => header)].join(',')]
  for (let step = 1; step <= stepsDone; step++) {
    if (step % every !== 0 && step !== stepsDone) continue
    const metrics = metricsAt(course, step)
    rows.push([step, ...columns.map(([, name]) => metrics[name] ?? '')].join(','))
  }
  return `${rows.join('\n')}\n`
}
