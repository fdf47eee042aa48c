import type { MicroUsd } from '../base/money'

/** What may be used up in a day or a calendar month, UTC. Limits hold for any minute; budgets begin anew with their period. */
export interface Budget {
  /** Tokens, or micro-USD by the price book. */
  readonly limit: number | MicroUsd
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
