import { assert } from '../base/assert'
import type { OwnLimits } from '../tenants/snapshot'
import { roomOf, type Judging, type Room, type Standing } from './judge-ask'
import type { SectionReport } from './renew-window'
import { capsOf, nothing, type Amount, type Caps, type Lease, type SectionId, type Spend } from './window-state'

/** How far ahead a lease should last at the present rate. */
const DEMAND_HORIZON_MS = 2_000
/** Rates are measured over at least this long, so that one call does not look like a flood of them. */
const DEMAND_MEASURE_MS_MIN = 250
/** Demand falls by at most this factor from one renewal to the next: pauses are common, and the next burst should not wait. */
const DEMAND_DECAY = 0.5
/** Without a call for so long, all is given back. A call alone after it leases nothing ahead: of quiet tenants that would be most writes. */
const IDLE_MS = 5_000
/** Renew in the background once less than this share of a lease is left. */
const LOW_WATER_SHARE = 0.5

/**
 * One instance's books of one section: what it may still spend of its lease, and what it spent and has not reported.
 *
 *     lease in the row = held + unreported spends        (requests, tokens)
 *     lease in the row = held + calls under way          (slots)
 *
 * Spending moves amounts from held to unreported, a refund of something unreported moves them back; only a renewal
 * changes the sum. Everything here is synchronous: a call is admitted without another one seeing it half done.
 */
export class Ledger {
  readonly section: SectionId
  #limits: OwnLimits | undefined
  #caps: Caps = noCaps
  /** The limits by which the lease was sized, and those of the renewal under way. */
  #sizedBy: Caps = noCaps
  #sizing: Caps = noCaps
  /** The limit has been lowered since: what is held may not be spent before a renewal. */
  #recalled = false
  #requests = 0
  #tokens = 0
  #slots = 0
  #slotsInUse = 0
  #slotsPeak = 0
  #lowWater: Lease = nothing
  #spends = new Map<number, { requests: number; tokens: number }>()
  #refunds = new Map<number, number>()
  /** Handed to a renewal that has not been answered for certain. */
  #reporting: { readonly spends: readonly Spend[]; readonly refunds: ReadonlyMap<number, number> } | undefined
  #askedRequests = 0
  #askedTokens = 0
  #askedSinceMs: number
  #lastAskedMs = -Infinity
  /** The last call came after a pause, and no other since. */
  #alone = true
  #demand: Amount = nothing

  /** By the row as last written: what nobody has spent or leased. Undefined before the first time. */
  #free: Amount | undefined

  constructor(section: SectionId, nowMs: number) {
    this.section = section
    this.#askedSinceMs = nowMs
  }

  get caps(): Caps {
    return this.#caps
  }

  /** The best knowledge of what is left for all instances together, without asking the row. */
  get leftRequests(): number {
    return leftOf(this.#caps.requests, (this.#free?.requests ?? 0) + this.#requests)
  }

  get leftTokens(): number {
    return leftOf(this.#caps.tokens, (this.#free?.tokens ?? 0) + this.#tokens)
  }

  /** Whether anything is known of what is left. */
  get isKnown(): boolean {
    return this.#free !== undefined
  }

  /** The limits in force from now on. A snapshot's limits do not change, so the same object says nothing new. */
  agree(limits: OwnLimits): void {
    if (limits === this.#limits) return
    this.#limits = limits
    this.#caps = capsOf(limits)
    this.#recalled = isLowered(this.#sizedBy, this.#caps)
  }

  /** Counts a call towards the demand by which the next lease is sized. */
  notice(tokens: number, nowMs: number): void {
    this.#askedRequests++
    this.#askedTokens += tokens
    this.#alone = nowMs - this.#lastAskedMs > IDLE_MS
    this.#lastAskedMs = nowMs
  }

  covers(tokens: number): boolean {
    return this.#requests >= 1 && this.#tokens >= tokens && this.#slots >= 1 && !this.#recalled
  }

  /** Spends one request, one slot and `tokens` in `cell`. */
  take(tokens: number, cell: number): void {
    this.#requests--
    this.#tokens -= tokens
    this.#slots--
    this.#slotsInUse++
    if (this.#slotsInUse > this.#slotsPeak) this.#slotsPeak = this.#slotsInUse
    const spent = this.#spentIn(cell)
    spent.requests++
    spent.tokens += tokens
  }

  freeSlot(): void {
    assert(this.#slotsInUse > 0, 'a slot is freed only while one is in use')
    this.#slotsInUse--
    this.#slots++
  }

  /**
   * Gives back tokens reserved in `cell`. What the row does not know of yet can be spent again at once; the rest must first
   * leave its cell in the row, or the cell could leave the window while the same tokens are spent anew.
   */
  refund(tokens: number, cell: number): void {
    const spent = this.#spends.get(cell)
    const atOnce = Math.min(tokens, spent?.tokens ?? 0)
    if (spent) spent.tokens -= atOnce
    this.#tokens += atOnce
    if (tokens > atOnce) this.#refunds.set(cell, (this.#refunds.get(cell) ?? 0) + tokens - atOnce)
  }

  /** Charges tokens beyond a reservation, even if nothing is held: they have been used. */
  charge(tokens: number, cell: number): void {
    this.#tokens -= tokens
    this.#spentIn(cell).tokens += tokens
  }

  isRunningLow(): boolean {
    const low = this.#lowWater
    return this.#requests < low.requests || this.#tokens < low.tokens || this.#slots < low.slots
  }

  /** Whether nothing at all would be lost by forgetting this ledger. */
  isEmpty(): boolean {
    return (
      this.#slotsInUse === 0 &&
      this.#requests === 0 &&
      this.#tokens === 0 &&
      this.#slots === 0 &&
      this.#spends.size === 0 &&
      this.#refunds.size === 0 &&
      this.#reporting === undefined
    )
  }

  /** What to tell the row. The same spends are told until `land` or `drop` says what became of them. */
  report(nowMs: number, slotWaitMs: number): SectionReport {
    this.#sizing = this.#caps
    if (!this.#reporting) {
      const spends = [...this.#spends].map(([cell, amount]) => ({ cell, ...amount }))
      this.#reporting = {
        spends: spends.filter(({ requests, tokens }) => requests + tokens > 0),
        refunds: this.#refunds,
      }
      this.#spends = new Map()
      this.#refunds = new Map()
    }
    return {
      ...this.#standing(slotWaitMs),
      ...this.#reporting,
      unreported: this.#unreported(),
      demand: this.#demandNow(nowMs),
    }
  }

  roomIn(judging: Judging, slotWaitMs: number): Room {
    return roomOf(this.section, this.#standing(slotWaitMs), judging)
  }

  /** Keeps at most `ahead` spendable while a renewal is under way; the rest is promised to waiting calls or given back. */
  freeze(ahead: Lease): Lease {
    const frozen = {
      requests: Math.max(0, this.#requests - ahead.requests),
      tokens: Math.max(0, this.#tokens - ahead.tokens),
      slots: Math.max(0, this.#slots - ahead.slots),
    }
    this.#move(frozen, -1)
    return frozen
  }

  thaw(frozen: Lease): void {
    this.#move(frozen, 1)
  }

  /** The renewal is in the row as `judging` shows it. */
  land(judging: Judging): void {
    const { state, instanceId, nowMs } = judging
    const lease = state.sections.get(this.section)?.leases.get(instanceId) ?? nothing
    this.#reporting = undefined
    const unreported = this.#unreported()
    this.#requests = lease.requests - unreported.requests
    this.#tokens = lease.tokens - unreported.tokens
    this.#slots = lease.slots - this.#slotsInUse
    const { left } = this.roomIn(judging, 0)
    this.#free = { requests: left.requests - this.#requests, tokens: left.tokens - this.#tokens }
    this.#sizedBy = this.#sizing
    this.#recalled = isLowered(this.#sizedBy, this.#caps)
    this.#lowWater = {
      requests: this.#requests * LOW_WATER_SHARE,
      tokens: this.#tokens * LOW_WATER_SHARE,
      slots: this.#slots * LOW_WATER_SHARE,
    }
    this.#demand = this.#demandNow(nowMs)
    this.#askedRequests = 0
    this.#askedTokens = 0
    this.#askedSinceMs = nowMs
    this.#slotsPeak = this.#slotsInUse
  }

  /** The row already says what it should: what `report` took goes back, and what is held fits the present limits. */
  withdraw(): void {
    this.#sizedBy = this.#sizing
    this.#recalled = isLowered(this.#sizedBy, this.#caps)
    const reporting = this.#reporting
    this.#reporting = undefined
    for (const { cell, requests, tokens } of reporting?.spends ?? []) {
      const spent = this.#spentIn(cell)
      spent.requests += requests
      spent.tokens += tokens
    }
    for (const [cell, tokens] of reporting?.refunds ?? []) {
      this.#refunds.set(cell, (this.#refunds.get(cell) ?? 0) + tokens)
    }
  }

  /** Gives up what is being refunded: it stays spent. */
  forgetRefunds(): void {
    if (this.#reporting) this.#reporting = { ...this.#reporting, refunds: new Map() }
  }

  /** The lease is gone. If it expired, the row counts all of it as spent, so there is nothing left to report. */
  drop(reason: 'expired' | 'row-replaced'): void {
    this.#requests = 0
    this.#tokens = 0
    this.#slots = -this.#slotsInUse
    if (reason === 'row-replaced') this.withdraw()
    else this.#spends.clear()
    this.#refunds.clear()
    this.#reporting = undefined
    this.#lowWater = nothing
  }

  #standing(slotWaitMs: number): Standing {
    const held = { requests: this.#requests, tokens: this.#tokens, slots: this.#slots }
    return { caps: this.#caps, held, slotsInUse: this.#slotsInUse, slotWaitMs }
  }

  #spentIn(cell: number): { requests: number; tokens: number } {
    let spent = this.#spends.get(cell)
    if (!spent) {
      spent = { requests: 0, tokens: 0 }
      this.#spends.set(cell, spent)
    }
    return spent
  }

  #unreported(): Amount {
    let requests = 0
    let tokens = 0
    for (const spent of this.#spends.values()) {
      requests += spent.requests
      tokens += spent.tokens
    }
    return { requests, tokens }
  }

  #demandNow(nowMs: number): Lease {
    if (this.#alone || nowMs - this.#lastAskedMs > IDLE_MS) return nothing
    const perHorizon = DEMAND_HORIZON_MS / Math.max(nowMs - this.#askedSinceMs, DEMAND_MEASURE_MS_MIN)
    const requests = Math.max(1, this.#askedRequests * perHorizon, this.#demand.requests * DEMAND_DECAY)
    const tokens = Math.max(1, this.#askedTokens * perHorizon, this.#demand.tokens * DEMAND_DECAY)
    // Calls to come need a slot each if those under way go on for longer than the horizon.
    return { requests, tokens, slots: Math.max(requests, this.#slotsPeak - this.#slotsInUse) }
  }

  #move({ requests, tokens, slots }: Lease, sign: 1 | -1): void {
    this.#requests += sign * requests
    this.#tokens += sign * tokens
    this.#slots += sign * slots
  }
}

const noCaps: Caps = capsOf({})

function isLowered(from: Caps, to: Caps): boolean {
  return to.requests < from.requests || to.tokens < from.tokens || to.slots < from.slots
}

function leftOf(limit: number, amount: number): number {
  return limit === Infinity ? Infinity : Math.max(0, Math.min(limit, amount))
}
