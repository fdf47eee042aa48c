import { z } from 'zod'

/** What may be used up in a day or a calendar month, UTC. Limits hold for any minute; budgets begin anew with their period. */
export interface Budget {
  /** Tokens, or micro-USD by the price book. */
  readonly limit: number
  /** Whether calls are refused once it is used up; a budget that does not stop only warns. */
  readonly stop: boolean
}

export const budgetNames = ['tokensPerDay', 'tokensPerMonth', 'microUsdPerDay', 'microUsdPerMonth'] as const
export type BudgetName = (typeof budgetNames)[number]

/** An absent one bounds nothing. */
export type Budgets = { readonly [Name in BudgetName]?: Budget | undefined }

/** The most that each budget may be set to; absent where the tier sets no bound. */
export type BudgetsMax = { readonly [Name in BudgetName]?: number | undefined }

/** Percent of a budget at which its tenant is warned, unless its settings say otherwise. */
export const budgetWarnPercentsDefault: readonly number[] = [50, 80, 100]

export function mergeBudgets(
  budgets: Budgets,
  patch: { readonly [Name in BudgetName]?: Budget | null | undefined },
): Budgets {
  const merged: { -readonly [Name in BudgetName]?: Budget | undefined } = { ...budgets }
  for (const name of budgetNames) {
    const budget = patch[name]
    if (budget === null) delete merged[name]
    else if (budget !== undefined) merged[name] = budget
  }
  return merged
}

/** A billion dollars, or as many tokens: sums of budgets stay exact. */
const BUDGET_MAX = 1_000_000_000_000_000

const budgetInput = z.strictObject({
  limit: z.int().min(1).max(BUDGET_MAX).meta({ description: 'Tokens, or micro-USD: 1,000,000 are one dollar.' }),
  stop: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether calls are refused once it is used up; false: it only warns.' }),
})

export const budgetsInput = z.strictObject({
  tokensPerDay: budgetInput.optional(),
  tokensPerMonth: budgetInput.optional(),
  microUsdPerDay: budgetInput.optional(),
  microUsdPerMonth: budgetInput.optional(),
})

/** A budget set to null goes back to the tier's. */
export const budgetsPatch = z.strictObject({
  tokensPerDay: budgetInput.nullable().optional(),
  tokensPerMonth: budgetInput.nullable().optional(),
  microUsdPerDay: budgetInput.nullable().optional(),
  microUsdPerMonth: budgetInput.nullable().optional(),
})

const shownBudget = z.object({ limit: z.int(), stop: z.boolean() })

export const shownBudgets = z
  .object({
    tokensPerDay: shownBudget.optional(),
    tokensPerMonth: shownBudget.optional(),
    microUsdPerDay: shownBudget.optional(),
    microUsdPerMonth: shownBudget.optional(),
  })
  .meta({ id: 'Budgets' })
