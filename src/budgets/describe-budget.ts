import { assertNever } from '../base/assert'
import type { BudgetName } from '../tenants/budget'
import type { BudgetSubject } from './budget-store'
import { measureOf, periodOf } from './period'

/** `the tenant's daily budget of money`, as messages name it. */
export function describeBudget(name: BudgetName, subject: BudgetSubject): string {
  const period = periodOf[name] === 'day' ? 'daily' : 'monthly'
  const measure = measureOf[name] === 'tokens' ? 'tokens' : 'money'
  return `${describeSubject(subject)} ${period} budget of ${measure}`
}

/** `1200000 tokens` or `USD 1.20`; fractions of a cent as far as they go, since most calls cost less than one. */
export function describeAmount(name: BudgetName, amount: number): string {
  if (measureOf[name] === 'tokens') return `${amount} tokens`
  const digits = amount % 10_000 === 0 ? 2 : 6
  return `USD ${(amount / 1_000_000).toFixed(digits)}`
}

function describeSubject(subject: BudgetSubject): string {
  switch (subject.kind) {
    case 'tenant':
      return "the tenant's"
    case 'key':
      return "the key's"
    case 'alias':
      return `the alias ${subject.alias}'s`
    default:
      return assertNever(subject)
  }
}
