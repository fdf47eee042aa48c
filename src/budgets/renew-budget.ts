import type { InstanceId } from '../base/ids'
import type { Budgets } from '../tenants/budget'
import { isNothing, measures, minus, nothing, plus, type Amount, type Measure } from './amount'
import {
  advanceBudget,
  roomIn,
  withSpends,
  withTruth,
  type BudgetState,
  type Holder,
  type HourSpend,
} from './budget-state'
import { hourAt } from './period'

/** How long a lease lives without renewal: what a crash loses counts as spent until the usage log is asked. */
export const LEASE_MS = 30_000
/** How far the clocks of two instances may differ. */
export const SKEW_MS_MAX = 500
/** A lease is renewed though nothing has changed when less than this share of its life is left. */
const RENEW_BELOW_LIFE_SHARE = 0.75
/** Instances that can hold leases of one row at once. */
export const HOLDERS_MAX = 128
/** The least worth leasing ahead while in use, of the budget: saves a trickle of calls a write each. */
const SLICE_SHARE_MIN = 1 / 4_096
/** Of what is left, one slice takes at most this share, over the number of holders: so slices shrink as a budget runs out. */
const SLICE_SHARE_OF_ROOM = 1 / 2
/** The most worth leasing ahead, of the budget: a crash costs no more until the usage log is asked. */
const SLICE_SHARE_MAX = 1 / 32
/** An instance moves hours so long past into the row's own sum: no call of theirs is under way any more. */
const FOLD_AFTER_HOURS = 2

/** What an instance says when it renews. */
export interface BudgetReport {
  readonly instanceId: InstanceId
  readonly budgets: Budgets
  /** Of calls under way. */
  readonly reserved: Amount
  /** Of all its calls that have ended and are not folded, by hour. */
  readonly spent: readonly HourSpend[]
  readonly foldedToHour: number
  /** What each waiting call needs, oldest first. */
  readonly waiting: readonly Amount[]
  /** Expected to be needed before the next renewal; nothing once idle, which gives everything back. */
  readonly demand: Amount
  /** What one call asked for lately: less is not worth leasing, and at the end each call takes exactly what it needs. */
  readonly callCost: Amount
  /** `leave` counts what is still reserved as spent and gives the rest back: the instance stops. */
  readonly intent: 'stay' | 'leave'
  readonly truth: Truth | undefined
}

/** What the usage log says was spent in hours that are over. */
export interface Truth {
  readonly fromHour: number
  /** Exclusive. */
  readonly toHour: number
  readonly spent: readonly HourSpend[]
}

export type Renewed =
  | {
      readonly kind: 'renewed'
      readonly state: BudgetState
      /** Leased beyond what calls under way have reserved; 0 where no budget stops, since nothing need be leased. */
      readonly free: Amount
      /** Left in the row after that; `Infinity` where no budget stops. */
      readonly left: Amount
      /** Whether every waiting call is granted what it needs. */
      readonly servesAll: boolean
      /** False when the row need not be written. */
      readonly changed: boolean
    }
  /** The row has no place for one more instance. */
  | { readonly kind: 'full' }

/** One compare-and-swap's worth of change: enters what the instance spent and sizes its next lease. Pure. */
export function renewBudget(stored: BudgetState, report: BudgetReport, nowMs: number): Renewed {
  const { instanceId, truth, budgets, intent } = report
  const advanced = advanceBudget(stored, { nowMs, spared: instanceId })
  const state = truth ? withTruth(advanced, truth) : advanced
  if (!state.holders.has(instanceId) && state.holders.size >= HOLDERS_MAX) return { kind: 'full' }

  const own = ownEntry(state, report, nowMs)
  const room = roomIn(withEntry(state, instanceId, own), budgets, nowMs)
  const { promised, servesAll } = fitting(report.waiting, room)
  const sizing: Sizing = {
    room,
    promised,
    demand: intent === 'stay' ? report.demand : nothing,
    callCost: report.callCost,
    holders: new Set(state.holders.keys()).add(instanceId).size,
    budgets,
  }
  const free = { tokens: slice('tokens', sizing), microUsd: slice('microUsd', sizing) }
  const next = withEntry(state, instanceId, { ...own, holder: { ...own.holder, lease: plus(own.holder.lease, free) } })
  return {
    kind: 'renewed',
    state: next,
    free,
    left: minus(room, free),
    servesAll,
    changed: state !== advanced || isChanged(stored, next, { instanceId, nowMs, intent }),
  }
}

interface OwnEntry {
  readonly holder: Holder
  /** What goes into the row's own sum. */
  readonly folded: readonly HourSpend[]
}

/** The instance's entry, with a lease for nothing but its calls under way. */
function ownEntry(
  state: BudgetState,
  { spent, reserved, foldedToHour, intent }: BudgetReport,
  nowMs: number,
): OwnEntry {
  const expiresAtMs = nowMs + LEASE_MS
  const current = spent.filter(({ hour }) => hour >= Math.max(state.trueUpToHour, foldedToHour))
  if (intent === 'leave') {
    const all = withSpends(current, [{ hour: hourAt(nowMs), ...reserved }])
    return { holder: { expiresAtMs, lease: nothing, spent: all, foldedToHour }, folded: [] }
  }
  const foldTo = Math.max(foldedToHour, hourAt(nowMs) - FOLD_AFTER_HOURS)
  const isOpen = ({ hour }: HourSpend) => hour >= foldTo
  return {
    holder: { expiresAtMs, lease: reserved, spent: current.filter(isOpen), foldedToHour: foldTo },
    folded: current.filter((spend) => !isOpen(spend)),
  }
}

/**
 * An entry that holds nothing goes, and what it spent into the row's own sum; but never by the write that would have made
 * it: were that not answered, nothing in the row would tell whether it has landed.
 */
function withEntry(state: BudgetState, instanceId: InstanceId, { holder, folded }: OwnEntry): BudgetState {
  const holders = new Map(state.holders)
  const isNew = !holders.has(instanceId)
  const isKept = !isNothing(holder.lease) || (isNew && holder.spent.length > 0)
  if (isKept) holders.set(instanceId, holder)
  else holders.delete(instanceId)
  const spent = withSpends(state.spent, isKept ? folded : [...folded, ...holder.spent])
  return { ...state, holders, spent }
}

/** What those of the waiting calls need together that fit, oldest first. */
function fitting(waiting: readonly Amount[], room: Amount): { promised: Amount; servesAll: boolean } {
  let promised = nothing
  let servesAll = true
  for (const cost of waiting) {
    const more = plus(promised, cost)
    if (measures.every((measure) => cost[measure] === 0 || more[measure] <= room[measure])) promised = more
    else servesAll = false
  }
  return { promised, servesAll }
}

interface Sizing {
  readonly room: Amount
  readonly promised: Amount
  readonly demand: Amount
  readonly callCost: Amount
  readonly holders: number
  readonly budgets: Budgets
}

function slice(measure: Measure, { room, promised, demand, callCost, holders, budgets }: Sizing): number {
  if (room[measure] === Infinity) return 0
  if (demand[measure] <= 0) return promised[measure]
  const left = Math.max(0, room[measure] - promised[measure])
  const budget = smallestBudget(measure, budgets)
  const wanted = Math.min(Math.max(demand[measure], budget * SLICE_SHARE_MIN), budget * SLICE_SHARE_MAX)
  const useful = Math.ceil(callCost[measure])
  const ahead = Math.floor(Math.min(Math.max(wanted, useful), (left * SLICE_SHARE_OF_ROOM) / holders))
  return promised[measure] + (ahead < useful ? 0 : ahead)
}

function smallestBudget(measure: Measure, budgets: Budgets): number {
  const [day, month] =
    measure === 'tokens'
      ? [budgets.tokensPerDay, budgets.tokensPerMonth]
      : [budgets.microUsdPerDay, budgets.microUsdPerMonth]
  return Math.min(day?.stop ? day.limit : Infinity, month?.stop ? month.limit : Infinity)
}

function isChanged(
  stored: BudgetState,
  next: BudgetState,
  { instanceId, nowMs, intent }: { instanceId: InstanceId; nowMs: number; intent: BudgetReport['intent'] },
): boolean {
  const before = stored.holders.get(instanceId)
  const after = next.holders.get(instanceId)
  if (!before || !after) return before !== after || !sameSpends(stored.spent, next.spent)
  const ageing = before.expiresAtMs - nowMs < LEASE_MS * RENEW_BELOW_LIFE_SHARE
  return intent === 'leave' || ageing || !sameLease(before, after) || !sameSpends(before.spent, after.spent)
}

const sameLease = (one: Holder, other: Holder) =>
  measures.every((measure) => one.lease[measure] === other.lease[measure])

const sameSpends = (one: readonly HourSpend[], other: readonly HourSpend[]) =>
  one.length === other.length &&
  one.every((spend, i) => {
    const match = other[i]
    return (
      match !== undefined && spend.hour === match.hour && measures.every((measure) => spend[measure] === match[measure])
    )
  })
