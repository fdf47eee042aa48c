import { repeat } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError } from '../base/log'
import { limitsUnavailable, shuttingDown } from '../limits/renewal-attempts'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import { budgetNames, type Budgets } from '../tenants/budget'
import { BudgetGate, type BudgetDeps, type BudgetHold, type GateResult } from './budget-gate'
import type { BudgetKeeper, Reservation, ReservationResult } from './budget-keeper'
import { subjectName, tableBudgetStore, type BudgetStore, type BudgetSubject } from './budget-store'

/** Rows remembered at once. An idle one costs a storage read to remember again, so the bound is only for memory. */
const GATES_MAX = 20_000
/** How often leases are looked through for those to renew. */
const TICK_MS = 1_000
/** Renewals started in one look: the rest waits for the next, so that a full house does not storm the storage. */
const RENEWALS_PER_TICK_MAX = 500
/** A row of which nothing is held is remembered for so long after its last call, since what it says is worth knowing. */
const FORGET_MS = 10_000
const CLOSES_AT_ONCE = 32

const TABLE = 'budgets'

/** What the composition root makes sure of before the first call. Rows are named by `subjectName`. */
export const budgetStorage = { tables: [TABLE] } as const

const nothingReserved: ReservationResult = { kind: 'reserved', reservation: { settle: () => {} } }

export const budgetsIn = (storage: StorageAccount): BudgetStore => tableBudgetStore(tenantTable(storage.table(TABLE)))

/** `instanceId` must be new for every start of the process: leases in the table are held under it. */
export function createBudgetKeeper(deps: BudgetDeps): BudgetKeeper {
  const { clock, log } = deps
  const gates = new Map<string, BudgetGate>()
  let closed: Promise<void> | undefined
  let sweptAtMs = -Infinity

  const sweep = (unusedMs: number) => {
    const nowMs = clock.now()
    for (const [name, gate] of gates) if (gate.isIdle() && nowMs - gate.usedAtMs >= unusedMs) gates.delete(name)
  }
  const gateOf = (tenantId: TenantId, subject: BudgetSubject): BudgetGate => {
    const name = `${tenantId}/${subjectName(subject)}`
    let gate = gates.get(name)
    if (gate) return gate
    if (gates.size >= GATES_MAX && clock.now() - sweptAtMs >= TICK_MS) {
      sweptAtMs = clock.now()
      sweep(0)
    }
    if (gates.size >= GATES_MAX) throw limitsUnavailable(`${GATES_MAX} rows of budgets in use at once`)
    gate = new BudgetGate(deps, TenantScope.ofCaller({ tenantId }), subject)
    gates.set(name, gate)
    return gate
  }
  const tend = async () => {
    const nowMs = clock.now()
    let renewals = 0
    for (const gate of gates.values()) {
      if (gate.tend(nowMs) && ++renewals >= RENEWALS_PER_TICK_MAX) break
    }
    sweep(FORGET_MS)
  }
  const onError = (error: unknown) => log.error('looking through budgets failed', { error: describeError(error) })
  const tending = repeat({ clock, onError }, TICK_MS, tend)

  const close = async () => {
    await tending.stop()
    const leaving = [...gates.values()].values()
    const leaveInTurn = async () => {
      for (const gate of leaving) {
        await gate.leave().catch((error: unknown) => {
          log.warn('a lease of a budget was not given back and will expire', { error: describeError(error) })
        })
      }
    }
    await Promise.all(Array.from({ length: CLOSES_AT_ONCE }, leaveInTurn))
  }

  return {
    reserve: ({ tenantId, subjects, warnPercents, cost }) => {
      const bounded = subjects.filter(({ budgets }) => hasBudgets(budgets))
      if (bounded.length === 0) return nothingReserved
      if (closed) throw shuttingDown()
      const results = bounded.map(({ subject, budgets }) =>
        attempt(() => gateOf(tenantId, subject).take(cost, { budgets, warnPercents })),
      )
      return results.some((result) => result instanceof Promise) ? whenAll(results) : together(results.filter(isAnswer))
    },
    close: () => (closed ??= close()),
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
