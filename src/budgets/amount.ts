import type { MicroUsd } from '../base/money'

/** What a call costs of budgets, in the two measures in which they are set. */
export interface Amount {
  readonly tokens: number
  readonly microUsd: MicroUsd
}

export type Measure = keyof Amount
export const measures: readonly Measure[] = ['tokens', 'microUsd']

export const nothing: Amount = { tokens: 0, microUsd: 0 }

export const plus = (one: Amount, other: Amount): Amount => ({
  tokens: one.tokens + other.tokens,
  microUsd: one.microUsd + other.microUsd,
})

export const minus = (one: Amount, other: Amount): Amount => ({
  tokens: one.tokens - other.tokens,
  microUsd: one.microUsd - other.microUsd,
})

/** The smaller of each measure. */
export const lesser = (one: Amount, other: Amount): Amount => ({
  tokens: Math.min(one.tokens, other.tokens),
  microUsd: Math.min(one.microUsd, other.microUsd),
})

/** The larger of each measure. */
export const greater = (one: Amount, other: Amount): Amount => ({
  tokens: Math.max(one.tokens, other.tokens),
  microUsd: Math.max(one.microUsd, other.microUsd),
})

export const isNothing = ({ tokens, microUsd }: Amount): boolean => tokens === 0 && microUsd === 0
