import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import { budgetNames, type Budgets } from '../tenants/budget'
import { nothing, type Amount } from './amount'
import type { BudgetRefusal } from './budget-keeper'
import { advanceBudget, standingOf, withSpends, type BudgetState, type Holder } from './budget-state'
import type { BudgetStore, BudgetSubject } from './budget-store'
import { hourAt, measureOf, periodOf, renewsAtMs } from './period'
import { HOLDERS_MAX } from './renew-budget'
import { seedBudget, type SpentByLog } from './true-up'

/**
 * Reservations for work that goes on for hours and outlives the process that began it: a batch. Each is an entry of its own in
 * the rows of budgets, as instances' leases are (`BudgetState`), and lasts until `untilMs` unless it is held anew. One that is not
 * counts as spent, like a lost lease, until the usage log is asked.
 */
export interface StandingHolds {
  /** All subjects or none. Again with the same holder: lasts longer, and what it holds stays what it was. */
  hold(request: HoldRequest): Promise<HoldResult>
  /** Gives back what is held and enters what was used; a second time, or without a hold, does nothing. */
  release(request: ReleaseRequest): Promise<void>
}

export interface HoldRequest {
  readonly scope: TenantScope
  readonly subjects: readonly { readonly subject: BudgetSubject; readonly budgets: Budgets }[]
  /** Whose hold it is: an id that nobody else holds by. */
  readonly holder: InstanceId
  readonly cost: Amount
  /** Unix milliseconds. */
  readonly untilMs: number
}

export interface ReleaseRequest {
  readonly scope: TenantScope
  /** All that there may be: budgets may have come and gone since. */
  readonly subjects: readonly BudgetSubject[]
  readonly holder: InstanceId
  readonly used: Amount
  /** Unix milliseconds. */
  readonly usedAtMs: number
}

/** `full`: the row has as many entries as it may; one of them will go. */
export type HoldResult = { readonly kind: 'held' } | { readonly kind: 'full' } | BudgetRefusal

/** Of a row; the rest of its places are for instances, without which no call is admitted. */
const STANDING_HOLDS_MAX = HOLDERS_MAX / 2
const ATTEMPTS_MAX = 30
/** Instances write a row that is in use every few seconds. */
const PAUSE_MS = 50

export interface StandingHoldDeps {
  readonly store: BudgetStore
  readonly spentByLog: SpentByLog
  readonly clock: Clock
}

export function createStandingHolds(deps: StandingHoldDeps): StandingHolds {
  return {
    hold: async (request) => {
      const held: HoldRequest['subjects'][number][] = []
      for (const each of bounded(request.subjects)) {
        const result = await holdOne(deps, request, each)
        if (result.kind === 'held') {
          held.push(each)
          continue
        }
        const { scope, holder } = request
        const subjects = held.map(({ subject }) => subject)
        for (const subject of subjects)
          await releaseOne(deps, { scope, subjects, holder, used: nothing, usedAtMs: 0 }, subject)
        return result
      }
      return { kind: 'held' }
    },
    release: async (request) => {
      for (const subject of request.subjects) await releaseOne(deps, request, subject)
    },
  }
}

const bounded = (subjects: HoldRequest['subjects']) =>
  subjects.filter(({ budgets }) => budgetNames.some((name) => budgets[name] !== undefined))

async function holdOne(
  deps: StandingHoldDeps,
  { scope, holder, cost, untilMs }: HoldRequest,
  { subject, budgets }: HoldRequest['subjects'][number],
): Promise<HoldResult> {
  return changeRow<HoldResult>(deps, scope, subject, (stored, nowMs) => {
    const state = advanceBudget(stored, { nowMs, spared: holder })
    const before = state.holders.get(holder)
    if (!before) {
      if (state.holders.size >= STANDING_HOLDS_MAX) return { result: { kind: 'full' } }
      const refusal = refusalOf(state, { subject, budgets, cost, nowMs })
      if (refusal) return { result: refusal }
    }
    const entry: Holder = before
      ? { ...before, expiresAtMs: Math.max(before.expiresAtMs, untilMs) }
      : { expiresAtMs: untilMs, lease: cost, spent: [], foldedToHour: hourAt(nowMs) }
    return { state: withHolder(state, holder, entry), result: { kind: 'held' } }
  })
}

/** The hold is the token by which the use is entered: once it is gone, so much has been done. */
async function releaseOne(
  deps: StandingHoldDeps,
  { scope, holder, used, usedAtMs }: ReleaseRequest,
  subject: BudgetSubject,
): Promise<void> {
  // Where there is no row nobody holds anything, and none is made for that.
  if (!(await deps.store.read(scope, subject))) return
  const hour = hourAt(usedAtMs)
  await changeRow<undefined>(deps, scope, subject, (stored, nowMs) => {
    const state = advanceBudget(stored, { nowMs, spared: holder })
    if (!state.holders.has(holder)) return { result: undefined }
    // Of hours that were counted by the usage log it says all there is to say.
    const spent = hour < state.trueUpToHour ? state.spent : withSpends(state.spent, [{ hour, ...used }])
    return { state: { ...withHolder(state, holder, undefined), spent }, result: undefined }
  })
}

interface RowChange<Result> {
  /** Undefined leaves the row as it is. */
  readonly state?: BudgetState
  readonly result: Result
}

async function changeRow<Result>(
  { store, spentByLog, clock }: StandingHoldDeps,
  scope: TenantScope,
  subject: BudgetSubject,
  edit: (state: BudgetState, nowMs: number) => RowChange<Result>,
): Promise<Result> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (attempt > 0) await clock.sleep(PAUSE_MS)
    const stored = await store.read(scope, subject)
    const nowMs = Math.floor(clock.now())
    const base = stored?.state ?? (await seedBudget((span) => spentByLog(scope, subject, span), nowMs))
    const { state, result } = edit(base, nowMs)
    if (!state) return result
    const written = await store.write(scope, subject, { state, tag: stored?.tag })
    if (written.kind === 'written') return result
  }
  throw new Error('others are changing a row of budgets at the moment')
}

function withHolder(state: BudgetState, holder: InstanceId, entry: Holder | undefined): BudgetState {
  const holders = new Map(state.holders)
  if (entry) holders.set(holder, entry)
  else holders.delete(holder)
  return { ...state, holders }
}

function refusalOf(
  state: BudgetState,
  { subject, budgets, cost, nowMs }: { subject: BudgetSubject; budgets: Budgets; cost: Amount; nowMs: number },
): BudgetRefusal | undefined {
  for (const name of budgetNames) {
    const budget = budgets[name]
    const needed = cost[measureOf[name]]
    if (!budget?.stop || needed === 0) continue
    const { used, reserved } = standingOf(name, state, nowMs)
    if (needed <= budget.limit - used - reserved) continue
    const renews = renewsAtMs(periodOf[name], nowMs)
    return { kind: 'refused', subject, budget: name, limit: budget.limit, used, reserved, needed, renewsAtMs: renews }
  }
  return undefined
}
