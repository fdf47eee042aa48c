import type { TrainingMethod } from './training-models'

/** Azure's `trainingType` of a job: where it runs, and so what it costs. */
export type TrainingType = 'standard' | 'globalstandard' | 'developertier'

/** What training costs, in USD, as price lists print it. */
export type TrainingPrice =
  | { readonly kind: 'tokens'; readonly usdPerMillion: number }
  /** Azure pauses the job at `pauseUsd`; the grader's tokens are charged beside it. */
  | { readonly kind: 'hours'; readonly usdPerHour: number; readonly pauseUsd: number }

export interface TrainingPriceList {
  /** The day on which the source was read, or its own date where it has one. */
  readonly asOf: string
  readonly source: string
  readonly prices: readonly {
    readonly family: string
    readonly methods: readonly TrainingMethod[]
    readonly type: TrainingType
    readonly price: TrainingPrice
  }[]
}

/** The list as it is at a time, Unix milliseconds: the same whenever it is asked for a time in the past, since training is booked by it. */
export type TrainingPricesAt = (atMs: number) => TrainingPriceList

const tokens = (family: string, type: TrainingType, usdPerMillion: number) =>
  ({ family, methods: ['supervised', 'dpo'], type, price: { kind: 'tokens', usdPerMillion } }) as const
const hours = (family: string, type: TrainingType, usdPerHour: number) =>
  ({ family, methods: ['reinforcement'], type, price: { kind: 'hours', usdPerHour, pauseUsd: 5_000 } }) as const

/**
 * The few training prices that Microsoft states outside of its price page, which cannot be read by a program. All others
 * are unknown, and an estimate says so; an installation passes its own list.
 */
export const trainingPrices: TrainingPriceList = {
  asOf: '2026-03',
  source: 'Microsoft, "Cost management for fine-tuning": its examples; developer tier is half of global',
  prices: [
    tokens('gpt-4.1', 'globalstandard', 2),
    tokens('gpt-4.1', 'developertier', 1),
    hours('o4-mini', 'standard', 100),
    hours('o4-mini', 'globalstandard', 100),
  ],
}
