import { priceOfTokens, type MicroUsd } from '../base/money'
import { microUsdPerMillion } from '../metering/prices'
import { familyOf, type TrainingMethod } from './training-models'
import type { TrainingPriceList, TrainingType } from './training-prices'

export type PriceEstimate =
  | {
      readonly kind: 'tokens'
      readonly microUsd: MicroUsd
      /** How far off it may be since tokens were sampled (19 of 20 times); 0 where all were counted. */
      readonly marginMicroUsd: MicroUsd
      readonly trainedTokens: number
      readonly epochs: number
      readonly asOf: string
      readonly source: string
    }
  /** Nothing about the data says how long reinforcement runs. */
  | {
      readonly kind: 'hours'
      readonly microUsdPerHour: MicroUsd
      readonly pauseMicroUsd: MicroUsd
      readonly asOf: string
      readonly source: string
    }
  | { readonly kind: 'unknown'; readonly reason: string }

export interface PricedTraining {
  readonly baseModel: string
  readonly method: TrainingMethod
  readonly type: TrainingType
  /** Of the training file, each once. */
  readonly tokens: number
  readonly marginTokens: number
  readonly epochs: number
}

/**
 * What a job on this training file costs: tokens × epochs × price for supervised and preference training. Not in it:
 * hosting, graders, taxes. Source of the formula: Microsoft, "Cost management for fine-tuning".
 */
export function estimatePrice(list: TrainingPriceList, training: PricedTraining): PriceEstimate {
  const family = familyOf(training.baseModel)
  const entry = list.prices.find(
    (entry) => entry.family === family && entry.type === training.type && entry.methods.includes(training.method),
  )
  const { asOf, source } = list
  if (!entry)
    return {
      kind: 'unknown',
      reason: `no price is known for ${training.method} training (${training.type}) of this model`,
    }
  if (entry.price.kind === 'hours') {
    const { usdPerHour, pauseUsd } = entry.price
    return { kind: 'hours', microUsdPerHour: microUsd(usdPerHour), pauseMicroUsd: microUsd(pauseUsd), asOf, source }
  }
  const rate = microUsdPerMillion(entry.price.usdPerMillion)
  const costOf = (tokens: number) => priceOfTokens([{ tokens: tokens * training.epochs, microUsdPerMillion: rate }])
  return {
    kind: 'tokens',
    microUsd: costOf(training.tokens),
    marginMicroUsd: costOf(training.marginTokens),
    trainedTokens: training.tokens * training.epochs,
    epochs: training.epochs,
    asOf,
    source,
  }
}

const microUsd = (usd: number): MicroUsd => Math.round(usd * 1_000_000)
