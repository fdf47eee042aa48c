import type { InstanceId } from '../base/ids'
import { budgetNames, type Budgets, type BudgetName } from '../tenants/budget'
import { isNothing, nothing, plus, type Amount, type Measure } from './amount'
import { firstHourOf, HOUR_MS, measureOf, periodOf } from './period'

/**
 * What the row of a tenant, a key or an alias says: who spent how much in which hour, and what is leased out. A value, never
 * changed in place; the arithmetic over it is pure (here and in renew-budget.ts).
 *
 * B1  Everything spent or leased since a period began counts in it: spent + leased never passes the budget (unless calls
 *     overran their estimate, or it was lowered).
 * B2  An instance writes its own entry as a whole: how much it has spent in all, and its lease. So writing the same twice
 *     counts once, and a write that was not answered can simply be followed by the next.
 * B3  A lease that is not renewed in time counts as spent, whole, in the hour of its expiry: nobody knows better until the
 *     usage log is asked.
 * B4  Hours before `trueUpToHour` hold what the usage log says of them; whatever instances claim of these is dropped.
 */
export interface BudgetState {
  /** The writer's wall time at the last change. */
  readonly asOfMs: number
  readonly trueUpToHour: number
  /** By hour, oldest first: what the usage log said, and what instances left behind that hold nothing any more. */
  readonly spent: readonly HourSpend[]
  readonly holders: ReadonlyMap<InstanceId, Holder>
}

export interface Holder {
  readonly expiresAtMs: number
  /** Unspent, and reserved by calls under way. */
  readonly lease: Amount
  /** By hour, oldest first: what its calls really used. */
  readonly spent: readonly HourSpend[]
  /** What it spent in hours before this one has gone into the row's own `spent`. */
  readonly foldedToHour: number
}

export interface HourSpend extends Amount {
  /** Since the Unix epoch; the hour in which the call was admitted. */
  readonly hour: number
}

/** What the row says of a budget now. */
export interface Standing {
  /** Used by calls that have ended. */
  readonly used: number
  /** Leased out: for calls under way, and for some to come. */
  readonly reserved: number
}

export function standingOf(name: BudgetName, state: BudgetState, nowMs: number): Standing {
  const measure = measureOf[name]
  const fromHour = firstHourOf(periodOf[name], nowMs)
  const sum = (spent: readonly HourSpend[]) =>
    spent.reduce((total, spend) => (spend.hour >= fromHour ? total + spend[measure] : total), 0)
  let used = sum(state.spent)
  let reserved = 0
  for (const holder of state.holders.values()) {
    used += sum(holder.spent)
    reserved += holder.lease[measure]
  }
  return { used, reserved }
}

/** What nobody has spent or leased, by the tightest of the budgets that stop; negative when overrun, `Infinity` without one. */
export function roomIn(state: BudgetState, budgets: Budgets, nowMs: number): Amount {
  const room: Record<Measure, number> = { tokens: Infinity, microUsd: Infinity }
  for (const name of budgetNames) {
    const budget = budgets[name]
    if (!budget?.stop) continue
    const { used, reserved } = standingOf(name, state, nowMs)
    room[measureOf[name]] = Math.min(room[measureOf[name]], budget.limit - used - reserved)
  }
  return room
}

/**
 * The row as it stands at `nowMs`: leases that were not renewed in time have become spent (B3), and hours of earlier months
 * are gone. `spared` renews in this very change: what it still holds is its own, however late it comes.
 */
export function advanceBudget(
  state: BudgetState,
  { nowMs, spared }: { nowMs: number; spared?: InstanceId },
): BudgetState {
  let spent = state.spent
  const holders = new Map<InstanceId, Holder>()
  for (const [instanceId, holder] of state.holders) {
    if (holder.expiresAtMs > nowMs || instanceId === spared) holders.set(instanceId, holder)
    else
      spent = withSpends(spent, [...holder.spent, { hour: Math.floor(holder.expiresAtMs / HOUR_MS), ...holder.lease }])
  }
  // An hour later than the month's turn, so that an instance whose clock is a little behind still sees its own month.
  const oldestHour = firstHourOf('month', nowMs - HOUR_MS)
  return {
    asOfMs: nowMs,
    trueUpToHour: Math.max(state.trueUpToHour, oldestHour),
    spent: joinDays(spent, state.trueUpToHour, nowMs).filter(({ hour }) => hour >= oldestHour),
    holders,
  }
}

/** Adds each amount to its hour; the hours stay in order. */
export function withSpends(spent: readonly HourSpend[], more: readonly HourSpend[]): readonly HourSpend[] {
  if (more.every(isNothing)) return spent
  const byHour = new Map(spent.map((spend) => [spend.hour, spend]))
  for (const spend of more) {
    if (!isNothing(spend))
      byHour.set(spend.hour, { hour: spend.hour, ...plus(byHour.get(spend.hour) ?? nothing, spend) })
  }
  return [...byHour.values()].sort((a, b) => a.hour - b.hour)
}

/** What the usage log says of hours up to `toHour`, at least from `trueUpToHour` on, takes the place of all that was counted in them. */
export function withTruth(
  state: BudgetState,
  { fromHour, toHour, spent }: { fromHour: number; toHour: number; spent: readonly HourSpend[] },
): BudgetState {
  // Another instance was faster; its answer is as good. Or a row that was made anew meanwhile leaves a gap.
  if (toHour <= state.trueUpToHour || fromHour > state.trueUpToHour) return state
  const later = ({ hour }: HourSpend) => hour >= toHour
  const counted = state.spent.filter((spend) => spend.hour < fromHour || later(spend))
  const holders = [...state.holders].map(
    ([id, holder]) => [id, { ...holder, spent: holder.spent.filter(later) }] as const,
  )
  return {
    ...state,
    trueUpToHour: Math.max(state.trueUpToHour, toHour),
    spent: withSpends(counted, spent),
    holders: new Map(holders),
  }
}

/** Hours that will not change any more are one entry for today and one for the month before it, so a row stays small. */
function joinDays(spent: readonly HourSpend[], trueUpToHour: number, nowMs: number): readonly HourSpend[] {
  const today = firstHourOf('day', nowMs)
  const month = firstHourOf('month', nowMs)
  const settled = spent.filter(({ hour }) => hour >= month && hour < trueUpToHour)
  if (settled.length <= 2) return spent
  const rest = spent.filter((spend) => !settled.includes(spend))
  return withSpends(
    rest,
    settled.map((spend) => ({ ...spend, hour: spend.hour >= today ? today : month })),
  )
}
