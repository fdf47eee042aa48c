import type { Alerts } from '../alerts/alerts'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { budgetNames, type BudgetName, type Budgets } from '../tenants/budget'
import type { BudgetRefusal } from './budget-keeper'
import { standingOf, type BudgetState } from './budget-state'
import { subjectName, type BudgetSubject } from './budget-store'
import { describeAmount, describeBudget } from './describe-budget'
import { periodOf, periodStartMs } from './period'

/** Warnings known to be on record, so that each is written once by a process; beyond it they are tried again. */
const KNOWN_MAX = 50_000

/** Tells a tenant's contacts how its budgets go: each thing once, whatever number of instances see it. */
export interface BudgetWarnings {
  /** Warns of every percentage that what was used has reached. */
  look(tenant: { readonly tenantId: TenantId }, seen: SeenBudgets, nowMs: number): void
  /** Warns that calls are refused. */
  refused(tenant: { readonly tenantId: TenantId }, refusal: BudgetRefusal, nowMs: number): void
  /** Tells operators that a money budget does not see what calls of this model cost. */
  unpriced(call: { readonly tenantId: TenantId; readonly model: string }, nowMs: number): void
}

export interface SeenBudgets {
  readonly subject: BudgetSubject
  readonly budgets: Budgets
  readonly state: BudgetState
  readonly percents: readonly number[]
}

export function createBudgetWarnings({ alerts, log }: { alerts: Pick<Alerts, 'raiseOnce'>; log: Log }): BudgetWarnings {
  const known = new Set<string>()
  const once = (alert: Parameters<Alerts['raiseOnce']>[0]) => {
    if (known.has(alert.id)) return
    if (known.size >= KNOWN_MAX) known.clear()
    known.add(alert.id)
    alerts.raiseOnce(alert).catch((error: unknown) => {
      known.delete(alert.id)
      log.warn('a warning of a budget could not be recorded', { id: alert.id, error: describeError(error) })
    })
  }
  return {
    look: ({ tenantId }, { subject, budgets, state, percents }, nowMs) => {
      for (const name of budgetNames) {
        const budget = budgets[name]
        if (!budget) continue
        const { used } = standingOf(name, state, nowMs)
        for (const percent of percents) {
          if (used * 100 < percent * budget.limit) continue
          const what = describeBudget(name, subject)
          once({
            id: alertId({ tenantId, subject, name, limit: budget.limit }, String(percent), nowMs),
            kind: 'budget-threshold',
            severity: percent >= 100 ? 'warning' : 'notice',
            tenantId,
            audience: 'tenant',
            title: `${percent} % of ${what} is used`,
            detail: `${describeAmount(name, used)} of ${describeAmount(name, budget.limit)} are used. ${afterwards(budget.stop)}`,
          })
        }
      }
    },
    refused: ({ tenantId }, { subject, budget: name, limit, used, needed }, nowMs) =>
      once({
        id: alertId({ tenantId, subject, name, limit }, 'refusing', nowMs),
        kind: 'budget-refusing',
        severity: 'critical',
        tenantId,
        audience: 'tenant',
        title: `Calls are refused by ${describeBudget(name, subject)}`,
        detail: `${describeAmount(name, used)} of ${describeAmount(name, limit)} are used, and a call may need up to ${describeAmount(name, needed)}.`,
      }),
    unpriced: ({ tenantId, model }, nowMs) =>
      once({
        id: `budget-unpriced/${tenantId}/${encodeURIComponent(model)}/${monthText(nowMs)}`,
        kind: 'budget-unpriced',
        severity: 'warning',
        tenantId,
        title: `The price book has no price for ${model}`,
        detail: `${tenantId} has a money budget and calls ${model}, whose cost is not known: it does not count. Give it a price, or the tenant a budget of tokens.`,
      }),
  }
}

const afterwards = (stop: boolean) =>
  stop ? 'Once it is used up, calls are refused.' : 'Calls go on when it is used up.'

const monthText = (nowMs: number) => new Date(nowMs).toISOString().slice(0, 7)

/** A changed limit makes another budget, of which there is to be warned anew. */
function alertId(
  of: { tenantId: TenantId; subject: BudgetSubject; name: BudgetName; limit: number },
  what: string,
  nowMs: number,
): string {
  const period = new Date(periodStartMs(periodOf[of.name], nowMs)).toISOString().slice(0, 10)
  return `budget/${of.tenantId}/${subjectName(of.subject)}/${of.name}/${of.limit}/${period}/${what}`
}
