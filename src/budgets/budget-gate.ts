import { assert } from '../base/assert'
import { describeError, type Log } from '../base/log'
import { limitsUnavailable } from '../limits/renewal-attempts'
import type { TenantScope } from '../storage/tenant-scope'
import { budgetNames, type Budgets } from '../tenants/budget'
import type { Amount } from './amount'
import type { BudgetRefusal } from './budget-keeper'
import type { BudgetLedger, Taken } from './budget-ledger'
import { BudgetLease, type LeaseDeps } from './budget-lease'
import { standingOf, type BudgetState } from './budget-state'
import type { BudgetSubject } from './budget-store'
import type { BudgetWarnings } from './budget-warnings'
import { hourAt, measureOf, periodOf, renewsAtMs } from './period'
import { closedHourAt } from './true-up'

/** Calls that wait for a renewal of one row at once. More come only when storage hangs. */
const WAITERS_MAX = 2_000
/** Renewals a call may go through when others keep taking what it was granted. */
const ROUNDS_MAX = 3
/** While anything is held it is renewed so often: three tries before it expires. */
const RENEW_MS = 8_000
/** Renewals ahead of need follow each other no faster. */
const AHEAD_GAP_MS = 250
/** What is known of the row is trusted for so long when it says that a call does not fit: others may have given back. */
const RECHECK_MS = 2_000
/** Instances ask the usage log for the same hour at different times, so that one of them saves the others the asking. */
const TRUE_UP_STAGGER_MS = 10 * 60_000
const TRUE_UP_RETRY_MS = 5 * 60_000

export interface BudgetDeps extends LeaseDeps {
  readonly warnings: BudgetWarnings
  readonly log: Log
}

export type GateResult = { readonly kind: 'taken'; readonly hold: BudgetHold } | BudgetRefusal

interface Waiter {
  readonly cost: Amount
  readonly resolve: (result: GateResult) => void
  readonly reject: (error: unknown) => void
  rounds: number
}

/**
 * Decides the calls of one tenant, key or alias on this instance. In the steady state a call is taken out of the lease at
 * once; otherwise it waits, together with all others, for the one renewal under way.
 */
export class BudgetGate {
  readonly #deps: BudgetDeps
  readonly #scope: TenantScope
  readonly #subject: BudgetSubject
  readonly #lease: BudgetLease
  readonly #staggerMs: number
  #warnPercents: readonly number[] = []
  #waiting: Waiter[] = []
  #serving: Promise<void> | undefined
  #failure: unknown
  #triedAtMs = -Infinity
  #usedAtMs = -Infinity
  #truingUp = false
  #trueUpTriedAtMs = -Infinity

  constructor(deps: BudgetDeps, scope: TenantScope, subject: BudgetSubject) {
    this.#deps = deps
    this.#scope = scope
    this.#subject = subject
    this.#lease = new BudgetLease(deps, scope, subject)
    this.#staggerMs = deps.chance.fraction() * TRUE_UP_STAGGER_MS
  }

  take(
    cost: Amount,
    { budgets, warnPercents }: { budgets: Budgets; warnPercents: readonly number[] },
  ): GateResult | Promise<GateResult> {
    const nowMs = this.#deps.clock.now()
    this.#usedAtMs = nowMs
    this.#warnPercents = warnPercents
    this.#ledger.agree(budgets)
    const taken = this.#tryTake(cost, nowMs)
    if (taken) {
      this.#ledger.notice(cost, nowMs)
      if (this.#ledger.isRunningLow()) this.#renewAhead(nowMs)
      return taken
    }
    if (!this.#serving && this.#lease.knownForMs(nowMs) < RECHECK_MS) {
      const refusal = this.#refusal(cost, nowMs)
      if (refusal) return refusal
    }
    return this.#wait(cost, nowMs)
  }

  /** Renews what is held before it expires, and gives back what is not needed. Returns whether a renewal was started. */
  tend(nowMs: number): boolean {
    if (this.#serving) return false
    this.#trueUp(nowMs)
    if (this.#lease.isEmpty()) return false
    if (nowMs - Math.max(this.#lease.renewedAtMs, this.#triedAtMs) < RENEW_MS) return false
    void this.#serve('stay', nowMs)
    return true
  }

  isIdle(): boolean {
    return !this.#serving && !this.#truingUp && this.#waiting.length === 0 && this.#lease.isEmpty()
  }

  get usedAtMs(): number {
    return this.#usedAtMs
  }

  /** Reports and gives back everything. Throws what storage threw; the lease then expires by itself. */
  async leave(): Promise<void> {
    while (this.#serving) await this.#serving
    if (this.#lease.isEmpty()) return
    await this.#serve('leave', this.#deps.clock.now())
    if (this.#failure) throw this.#failure
  }

  get #ledger(): BudgetLedger {
    return this.#lease.ledger
  }

  #tryTake(cost: Amount, nowMs: number): GateResult | undefined {
    if (!this.#ledger.covers(cost)) return undefined
    if (this.#ledger.needsLease(cost) && !this.#lease.isUsable(nowMs)) return undefined
    const hold = new BudgetHold(this.#ledger, this.#ledger.take(cost), hourAt(nowMs))
    return { kind: 'taken', hold }
  }

  /** Undefined where the cost fits what nobody holds and what this instance does. */
  #refusal(cost: Amount, nowMs: number): BudgetRefusal | undefined {
    const state = this.#lease.known
    if (!state) return undefined
    let refusal: BudgetRefusal | undefined
    for (const name of budgetNames) {
      const budget = this.#ledger.budgets[name]
      const needed = cost[measureOf[name]]
      if (!budget?.stop || needed === 0) continue
      const { used, reserved } = standingOf(name, state, nowMs)
      if (needed <= budget.limit - used - reserved + this.#ledger.free[measureOf[name]]) continue
      const renews = renewsAtMs(periodOf[name], nowMs)
      if (refusal && renews <= refusal.renewsAtMs) continue
      refusal = {
        kind: 'refused',
        subject: this.#subject,
        budget: name,
        limit: budget.limit,
        used,
        reserved,
        needed,
        renewsAtMs: renews,
      }
    }
    if (refusal) this.#deps.warnings.refused(this.#scope, refusal, nowMs)
    return refusal
  }

  #wait(cost: Amount, nowMs: number): Promise<GateResult> {
    if (this.#waiting.length >= WAITERS_MAX) throw limitsUnavailable(`${WAITERS_MAX} calls wait for a row of budgets`)
    this.#ledger.notice(cost, nowMs)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ cost, resolve, reject, rounds: 0 })
      if (!this.#serving) void this.#serve('stay', nowMs)
    })
  }

  #renewAhead(nowMs: number): void {
    if (!this.#serving && nowMs - this.#triedAtMs >= AHEAD_GAP_MS) void this.#serve('stay', nowMs)
  }

  #serve(intent: 'stay' | 'leave', nowMs: number): Promise<void> {
    this.#triedAtMs = nowMs
    return (this.#serving = this.#renewWhileCallsWait(intent))
  }

  /** Never rejects: waiting calls get the failure, and a renewal without any is tried again by `tend`. */
  async #renewWhileCallsWait(intent: 'stay' | 'leave'): Promise<void> {
    this.#failure = undefined
    try {
      do {
        await this.#lease.renew({
          intent,
          waiting: () => this.#waiting.map(({ cost }) => cost),
          conclude: (asked) => this.#conclude(asked),
        })
      } while (this.#waiting.length > 0)
    } catch (error) {
      this.#failure = error
      const waiting = this.#waiting
      this.#waiting = []
      for (const { reject } of waiting) reject(error)
      this.#deps.log.warn('a row of budgets could not be renewed', { calls: waiting.length, reason: String(error) })
    } finally {
      // In the same turn as the last look at the queue: a call that comes later must find that nobody serves it.
      this.#serving = undefined
    }
  }

  /** The first `asked` of the waiting calls were counted in the renewal; later ones may be served from what is left over. */
  #conclude(asked: number): void {
    const nowMs = this.#deps.clock.now()
    this.#waiting = this.#waiting.filter((waiter, i) => !this.#answer(waiter, { wasAsked: i < asked, nowMs }))
    const { known } = this.#lease
    if (known) this.#warn(known, nowMs)
  }

  #answer(waiter: Waiter, { wasAsked, nowMs }: { wasAsked: boolean; nowMs: number }): boolean {
    const taken = this.#tryTake(waiter.cost, nowMs)
    if (taken) return settled(waiter.resolve, taken)
    if (!wasAsked) return false
    const refusal = this.#refusal(waiter.cost, nowMs)
    if (refusal) return settled(waiter.resolve, refusal)
    if (++waiter.rounds < ROUNDS_MAX) return false
    return settled(
      waiter.reject,
      limitsUnavailable('what a call was granted of a budget was overrun before it could take it'),
    )
  }

  #warn(state: BudgetState, nowMs: number): void {
    const { budgets } = this.#ledger
    this.#deps.warnings.look(
      this.#scope,
      { subject: this.#subject, budgets, state, percents: this.#warnPercents },
      nowMs,
    )
  }

  /** Has the usage log count hours anew that are over, once for all instances. */
  #trueUp(nowMs: number): void {
    const toHour = closedHourAt(nowMs - this.#staggerMs)
    if (this.#truingUp || !this.#lease.isBehind(toHour) || nowMs - this.#trueUpTriedAtMs < TRUE_UP_RETRY_MS) return
    this.#trueUpTriedAtMs = nowMs
    this.#truingUp = true
    void this.#countAnew(toHour)
      .catch((error: unknown) => {
        this.#deps.log.warn('budgets could not be checked against the usage log', { error: describeError(error) })
      })
      .finally(() => (this.#truingUp = false))
  }

  async #countAnew(toHour: number): Promise<void> {
    await this.#lease.askLog(toHour)
    while (this.#serving) await this.#serving
    await this.#serve('stay', this.#deps.clock.now())
  }
}

/** What one call holds of one row until it settles. */
export class BudgetHold {
  readonly #ledger: BudgetLedger
  readonly #taken: Taken
  readonly #hour: number
  #settled = false

  constructor(ledger: BudgetLedger, taken: Taken, hour: number) {
    this.#ledger = ledger
    this.#taken = taken
    this.#hour = hour
  }

  settle(used: Amount): void {
    assert(!this.#settled, 'a reservation is settled once')
    this.#settled = true
    this.#ledger.settle(this.#taken, used, this.#hour)
  }
}

function settled<T>(settle: (result: T) => void, result: T): true {
  settle(result)
  return true
}
