import { z } from 'zod'
import { shownBudgets, type Budgets, type BudgetsMax } from './budget'
import { tierNames, type Limits, type TierName } from './snapshot'

export interface Tier {
  readonly name: TierName
  /** What a tenant of the tier gets unless its record says otherwise. */
  readonly limits: Limits
  /** The most that a tenant's own limits may be raised to. */
  readonly limitsMax: Limits
  /** What a tenant of the tier gets unless its record says otherwise. */
  readonly budgets: Budgets
  /** The most that a tenant's own budgets may be raised to, and those of its keys and aliases. */
  readonly budgetsMax: BudgetsMax
  /** Share of a contended backend, against 1 for the standard tier. */
  readonly weight: number
  readonly aliasesMax: number
  /** No call of the tier may ask for more output tokens, whatever the model could do. */
  readonly outputTokensMax: number
}

const limits = z.object({ requestsPerMinute: z.int(), tokensPerMinute: z.int(), concurrentCalls: z.int() })

export const shownTier = z
  .object({
    name: z.enum(tierNames),
    limits,
    limitsMax: limits,
    budgets: shownBudgets,
    budgetsMax: z.object({
      tokensPerDay: z.int().optional(),
      tokensPerMonth: z.int().optional(),
      microUsdPerDay: z.int().optional(),
      microUsdPerMonth: z.int().optional(),
    }),
    weight: z.number(),
    aliasesMax: z.int(),
    outputTokensMax: z.int(),
  })
  .meta({ id: 'Tier' })

/** Defaults to run with: a platform sells its own. The rates stand in the ratio of Azure OpenAI's, about 6 requests to 1,000 tokens. */
export const tiers: Readonly<Record<TierName, Tier>> = {
  free: {
    name: 'free',
    limits: { requestsPerMinute: 60, tokensPerMinute: 20_000, concurrentCalls: 4 },
    limitsMax: { requestsPerMinute: 120, tokensPerMinute: 40_000, concurrentCalls: 8 },
    budgets: { tokensPerMonth: { limit: 5_000_000, stop: true } },
    budgetsMax: { tokensPerMonth: 50_000_000 },
    weight: 0.25,
    aliasesMax: 5,
    outputTokensMax: 2_048,
  },
  standard: {
    name: 'standard',
    limits: { requestsPerMinute: 600, tokensPerMinute: 100_000, concurrentCalls: 50 },
    limitsMax: { requestsPerMinute: 6_000, tokensPerMinute: 1_000_000, concurrentCalls: 500 },
    budgets: {},
    budgetsMax: {},
    weight: 1,
    aliasesMax: 25,
    outputTokensMax: 16_384,
  },
  premium: {
    name: 'premium',
    limits: { requestsPerMinute: 6_000, tokensPerMinute: 1_000_000, concurrentCalls: 500 },
    limitsMax: { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000, concurrentCalls: 10_000 },
    budgets: {},
    budgetsMax: {},
    weight: 4,
    aliasesMax: 100,
    outputTokensMax: 131_072,
  },
}
