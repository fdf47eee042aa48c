import { Problem } from '../base/problem'
import type { TrainingMethod } from '../datasets/training-models'
import { invalid } from '../inference/body-fields'
import type { Hyperparameters } from '../registry/model-version'

interface Bounds {
  readonly min: number
  readonly max: number
  readonly isWhole: boolean
}

const whole = (min: number, max: number): Bounds => ({ min, max, isWhole: true })
const any = (min: number, max: number): Bounds => ({ min, max, isWhole: false })

/** Source of names: azure-facts 3.3. Bounds are OpenAI's where it states any; the provider has the last word. */
export const hyperparameterBounds = {
  n_epochs: whole(1, 50),
  batch_size: whole(1, 256),
  learning_rate_multiplier: any(0.0001, 10),
  prompt_loss_weight: any(0, 1),
  beta: any(0, 2),
  eval_interval: whole(1, 10_000),
  eval_samples: whole(1, 10_000),
  compute_multiplier: any(0.00001, 10),
} as const satisfies Readonly<Record<string, Bounds>>

export const reasoningEfforts = ['default', 'low', 'medium', 'high'] as const

const ofEvery = ['n_epochs', 'batch_size', 'learning_rate_multiplier'] as const
const namesOf: Readonly<Record<TrainingMethod, readonly (keyof typeof hyperparameterBounds)[]>> = {
  supervised: [...ofEvery, 'prompt_loss_weight'],
  dpo: [...ofEvery, 'beta'],
  reinforcement: [...ofEvery, 'eval_interval', 'eval_samples', 'compute_multiplier'],
}

/** What the provider is to choose (`auto`, or the older `-1`) is left out of the result. */
export function readHyperparameters(
  value: unknown,
  { method, at }: { method: TrainingMethod; at: string },
): Hyperparameters | Problem {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return invalid(at, 'must be an object')
  const read: Record<string, number | string> = {}
  for (const [name, given] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (given === undefined || given === null || given === 'auto' || given === -1) continue
    if (name === 'reasoning_effort' && method === 'reinforcement') {
      const effort = reasoningEfforts.find((known) => known === given)
      if (effort === undefined) return invalid(`${at}.${name}`, `must be one of ${reasoningEfforts.join(', ')}`)
      read[name] = effort
      continue
    }
    const known = namesOf[method].find((each) => each === name)
    if (!known) return invalid(`${at}.${name}`, `is no hyperparameter of the method "${method}"`)
    const bounds = hyperparameterBounds[known]
    if (!isWithin(given, bounds))
      return invalid(
        `${at}.${name}`,
        `must be "auto" or a ${bounds.isWhole ? 'whole ' : ''}number from ${bounds.min} to ${bounds.max}`,
      )
    read[known] = given
  }
  return read
}

const isWithin = (value: unknown, { min, max, isWhole }: Bounds): value is number =>
  typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value))
