import { budgetNames, type Budgets } from '../tenants/budget'
import { greater, isNothing, lesser, measures, minus, nothing, plus, type Amount } from './amount'
import type { HourSpend } from './budget-state'
import { measureOf } from './period'

/** How far ahead a lease should last at the present rate. */
const DEMAND_HORIZON_MS = 10_000
/** Rates are measured over at least this long, so that one call does not look like a flood of them. */
const DEMAND_MEASURE_MS_MIN = 1_000
/** Demand falls by at most this factor from one renewal to the next: pauses are common. */
const DEMAND_DECAY = 0.5
/** Without a call for so long, everything is given back. */
const IDLE_MS = 15_000
/** Renew in the background once less than this share of what was leased is left. */
const LOW_WATER_SHARE = 0.5

/** What a call holds of a ledger until it settles. */
export interface Taken {
  readonly cost: Amount
  /** Of the lease that it was taken from. */
  readonly epoch: number
  /** The measures in which it was taken from the lease; in the others nothing needs to be leased. */
  readonly leased: Capped
}

type Capped = Readonly<Record<keyof Amount, boolean>>

/**
 * One instance's books of one row: what it may still spend of its lease, what its calls under way have reserved, and what
 * those that have ended really used.
 *
 *     lease and spends in the row = free + reserved + spent
 *
 * Taking moves amounts from free to reserved; settling moves them to spent, and what was not used back to free. Only a
 * renewal changes the sum. Everything here is synchronous: no call is seen half done by another.
 */
export class BudgetLedger {
  #budgets: Budgets = {}
  /** The budgets by which the lease was sized. */
  #sizedBy: Budgets = {}
  #capped: Capped = { tokens: false, microUsd: false }
  #free: Amount = nothing
  #reserved: Amount = nothing
  #spent = new Map<number, { tokens: number; microUsd: number }>()
  #foldedToHour = 0
  #lowWater: Amount = nothing
  /** Rises when the lease is lost: calls of an earlier one count as spent already. */
  #epoch = 0
  #asked: Amount = nothing
  #askedCalls = 0
  #callCost: Amount = nothing
  #askedSinceMs: number
  #lastAskedMs = -Infinity
  #demand: Amount = nothing

  constructor(nowMs: number) {
    this.#askedSinceMs = nowMs
  }

  get budgets(): Budgets {
    return this.#budgets
  }

  get free(): Amount {
    return this.#free
  }

  get reserved(): Amount {
    return this.#reserved
  }

  /** A copy, oldest hour first. */
  get spent(): readonly HourSpend[] {
    return [...this.#spent].map(([hour, amount]) => ({ hour, ...amount })).sort((a, b) => a.hour - b.hour)
  }

  get foldedToHour(): number {
    return this.#foldedToHour
  }

  /** The budgets in force from now on. A snapshot's budgets do not change, so the same object says nothing new. */
  agree(budgets: Budgets): void {
    if (budgets === this.#budgets) return
    this.#budgets = budgets
    const stops = (measure: keyof Amount) =>
      budgetNames.some((name) => measureOf[name] === measure && budgets[name]?.stop === true)
    this.#capped = { tokens: stops('tokens'), microUsd: stops('microUsd') }
  }

  /** Whether anything must be leased before it may be spent. */
  needsLease(cost: Amount): boolean {
    return measures.some((measure) => this.#capped[measure] && cost[measure] > 0)
  }

  covers(cost: Amount): boolean {
    return (
      !isTighter(this.#budgets, this.#sizedBy) &&
      measures.every((measure) => !this.#capped[measure] || cost[measure] === 0 || this.#free[measure] >= cost[measure])
    )
  }

  /** Counts a call towards the demand by which the next lease is sized. */
  notice(cost: Amount, nowMs: number): void {
    this.#asked = plus(this.#asked, cost)
    this.#askedCalls++
    this.#lastAskedMs = nowMs
  }

  take(cost: Amount): Taken {
    const leased = this.#capped
    this.#free = minus(this.#free, onlyIn(leased, cost))
    this.#reserved = plus(this.#reserved, cost)
    return { cost, epoch: this.#epoch, leased }
  }

  /** Replaces what a call reserved by what it used, also where that is more: it has been used. */
  settle({ cost, epoch, leased }: Taken, used: Amount, hour: number): void {
    // With a lease that was lost its calls' reservations count as spent already, and only an overrun is news.
    if (epoch !== this.#epoch) return this.#spend(greater(minus(used, cost), nothing), hour)
    this.#reserved = minus(this.#reserved, cost)
    this.#free = plus(this.#free, onlyIn(leased, minus(cost, used)))
    this.#spend(used, hour)
  }

  isRunningLow(): boolean {
    return measures.some((measure) => this.#capped[measure] && this.#free[measure] < this.#lowWater[measure])
  }

  /** Whether nothing would be lost by forgetting this ledger. */
  isEmpty(): boolean {
    return isNothing(this.#free) && isNothing(this.#reserved) && this.#spent.size === 0
  }

  /** What one call asked for, on average since the last renewal or before it. */
  get callCost(): Amount {
    const { tokens, microUsd } = this.#asked
    if (this.#askedCalls === 0) return this.#callCost
    return { tokens: tokens / this.#askedCalls, microUsd: microUsd / this.#askedCalls }
  }

  demandAt(nowMs: number): Amount {
    if (nowMs - this.#lastAskedMs > IDLE_MS) return nothing
    const perHorizon = DEMAND_HORIZON_MS / Math.max(nowMs - this.#askedSinceMs, DEMAND_MEASURE_MS_MIN)
    const demand = (measure: keyof Amount) =>
      Math.max(1, this.#asked[measure] * perHorizon, this.#demand[measure] * DEMAND_DECAY)
    return { tokens: demand('tokens'), microUsd: demand('microUsd') }
  }

  /** Keeps spendable only what the row will lease whether the write under way lands or not; returns the rest. */
  freeze(coming: Amount): Amount {
    const kept = lesser(this.#free, coming)
    const frozen = minus(this.#free, kept)
    this.#free = kept
    return frozen
  }

  /** The write has not landed. */
  thaw(frozen: Amount): void {
    this.#free = plus(this.#free, frozen)
  }

  /** The write has landed: what it leased beyond what was kept spendable. */
  gain(more: Amount): void {
    this.#free = plus(this.#free, more)
  }

  /** The row says what was reported, and its lease was sized by these budgets: demand is measured anew. */
  agreed({ sizedBy, nowMs }: { sizedBy: Budgets; nowMs: number }): void {
    this.#sizedBy = sizedBy
    this.#lowWater = { tokens: this.#free.tokens * LOW_WATER_SHARE, microUsd: this.#free.microUsd * LOW_WATER_SHARE }
    this.#demand = this.demandAt(nowMs)
    this.#callCost = this.callCost
    this.#asked = nothing
    this.#askedCalls = 0
    this.#askedSinceMs = nowMs
  }

  /** Hours before this one are the row's own, and not ours to claim any more. */
  foldTo(hour: number): void {
    if (hour <= this.#foldedToHour) return
    this.#foldedToHour = hour
    for (const spent of this.#spent.keys()) if (spent < hour) this.#spent.delete(spent)
  }

  /** The row has taken these spends over with our whole entry. */
  handOver(spent: readonly HourSpend[]): void {
    for (const { hour, tokens, microUsd } of spent) {
      const left = minus(this.#spent.get(hour) ?? nothing, { tokens, microUsd })
      if (isNothing(left)) this.#spent.delete(hour)
      else this.#spent.set(hour, { ...left })
    }
  }

  /** The lease is gone, and the row counts all of it as spent: calls under way, too, and what was not reported. */
  drop(): void {
    this.#epoch++
    this.#free = nothing
    this.#reserved = nothing
    this.#spent.clear()
    this.#lowWater = nothing
  }

  #spend({ tokens, microUsd }: Amount, startedHour: number): void {
    if (tokens === 0 && microUsd === 0) return
    const hour = Math.max(startedHour, this.#foldedToHour)
    const spent = this.#spent.get(hour)
    if (!spent) return void this.#spent.set(hour, { tokens, microUsd })
    spent.tokens += tokens
    spent.microUsd += microUsd
  }
}

const onlyIn = (leased: Capped, { tokens, microUsd }: Amount): Amount => ({
  tokens: leased.tokens ? tokens : 0,
  microUsd: leased.microUsd ? microUsd : 0,
})

/** Whether a budget stops earlier than the one by which a lease was sized. */
function isTighter(now: Budgets, before: Budgets): boolean {
  if (now === before) return false
  return budgetNames.some((name) => {
    const [budget, old] = [now[name], before[name]]
    return budget?.stop === true && !(old?.stop === true && old.limit <= budget.limit)
  })
}
