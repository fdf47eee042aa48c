import type { TenantId } from '../base/ids'
import { Gates } from '../limits/gates'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import { budgetNames, type Budgets } from '../tenants/budget'
import { BudgetGate, type BudgetDeps, type BudgetHold, type GateResult } from './budget-gate'
import type { BudgetKeeper, Reservation, ReservationResult } from './budget-keeper'
import { subjectName, tableBudgetStore, type BudgetStore, type BudgetSubject } from './budget-store'

/** How often leases are looked through for those to renew. */
const TICK_MS = 1_000

const TABLE = 'budgets'

/** What the composition root makes sure of before the first call. Rows are named by `subjectName`. */
export const budgetStorage = { tables: [TABLE] } as const

const nothingReserved: ReservationResult = { kind: 'reserved', reservation: { settle: () => {} } }

export const budgetsIn = (storage: StorageAccount): BudgetStore => tableBudgetStore(tenantTable(storage.table(TABLE)))

/** `instanceId` must be new for every start of the process: leases in the table are held under it. */
export function createBudgetKeeper(deps: BudgetDeps): BudgetKeeper {
  const gates = new Gates<BudgetGate>(deps, { what: 'rows of budgets', tickMs: TICK_MS })
  const gateOf = (tenantId: TenantId, subject: BudgetSubject) =>
    gates.of(
      `${tenantId}/${subjectName(subject)}`,
      () => new BudgetGate(deps, TenantScope.ofCaller({ tenantId }), subject),
    )

  return {
    reserve: ({ tenantId, subjects, warnPercents, cost }) => {
      const bounded = subjects.filter(({ budgets }) => hasBudgets(budgets))
      if (bounded.length === 0) return nothingReserved
      const results = bounded.map(({ subject, budgets }) =>
        attempt(() => gateOf(tenantId, subject).take(cost, { budgets, warnPercents })),
      )
      return results.some((result) => result instanceof Promise) ? whenAll(results) : together(results.filter(isAnswer))
    },
    close: () => gates.close(),
  }
}

const hasBudgets = (budgets: Budgets) => budgetNames.some((name) => budgets[name] !== undefined)

type Answered = GateResult | Promise<GateResult>

/** What is thrown at once is a rejection like any other, so that what the other rows gave is not forgotten. */
function attempt(take: () => Answered): Answered {
  try {
    return take()
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)))
  }
}

const isAnswer = (result: Answered): result is GateResult => !(result instanceof Promise)

/** Of several refusals the first: the tenant's comes before that of its key or alias. */
function together(results: readonly GateResult[]): ReservationResult {
  const holds: BudgetHold[] = []
  let refusal: ReservationResult | undefined
  for (const result of results) {
    if (result.kind === 'taken') holds.push(result.hold)
    else refusal ??= result
  }
  if (!refusal) return { kind: 'reserved', reservation: reservationOf(holds) }
  release(holds)
  return refusal
}

async function whenAll(results: readonly Answered[]): Promise<ReservationResult> {
  const answers = await Promise.allSettled(results.map((result) => Promise.resolve(result)))
  const failed = answers.find((answer) => answer.status === 'rejected')
  const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  if (!failed) return together(given)
  release(given.flatMap((result) => (result.kind === 'taken' ? [result.hold] : [])))
  throw failed.reason
}

const unused = { tokens: 0, microUsd: 0 }

function release(holds: readonly BudgetHold[]): void {
  for (const hold of holds) hold.settle(unused)
}

const reservationOf = (holds: readonly BudgetHold[]): Reservation => ({
  settle: (used) => {
    for (const hold of holds) hold.settle(used)
  },
})
