import { assert } from '../base/assert'
import { describeError, type Log } from '../base/log'
import { limitsUnavailable } from '../limits/renewal-attempts'
import { Renewals, type RenewalIntent } from '../limits/renewals'
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
  readonly #renewals: Renewals<Waiter>
  readonly #staggerMs: number
  #warnPercents: readonly number[] = []
  #usedAtMs = -Infinity
  #truingUp = false
  #trueUpTriedAtMs = -Infinity

  constructor(deps: BudgetDeps, scope: TenantScope, subject: BudgetSubject) {
    this.#deps = deps
    this.#scope = scope
    this.#subject = subject
    this.#lease = new BudgetLease(deps, scope, subject)
    this.#renewals = new Renewals(deps, {
      what: 'a row of budgets',
      renewMs: RENEW_MS,
      aheadGapMs: AHEAD_GAP_MS,
      lease: this.#lease,
      renew: (intent) => this.#renew(intent),
    })
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
      if (this.#ledger.isRunningLow()) this.#renewals.ahead(nowMs)
      return taken
    }
    if (!this.#renewals.isUnderWay && this.#lease.knownForMs(nowMs) < RECHECK_MS) {
      const refusal = this.#refusal(cost, nowMs)
      if (refusal) return refusal
    }
    return this.#wait(cost, nowMs)
  }

  /** Renews what is held before it expires, and gives back what is not needed. Returns whether a renewal was started. */
  tend(nowMs: number): boolean {
    if (this.#renewals.isUnderWay) return false
    this.#trueUp(nowMs)
    return this.#renewals.tend(nowMs)
  }

  isIdle(): boolean {
    const { isUnderWay, waiting } = this.#renewals
    return !isUnderWay && !this.#truingUp && waiting.length === 0 && this.#lease.isEmpty()
  }

  get isRenewing(): boolean {
    return this.#renewals.isUnderWay
  }

  get usedAtMs(): number {
    return this.#usedAtMs
  }

  /** Reports and gives back everything. Throws what storage threw; the lease then expires by itself. */
  leave(): Promise<void> {
    return this.#renewals.leave()
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
    this.#ledger.notice(cost, nowMs)
    return new Promise((resolve, reject) => {
      this.#renewals.wait({ cost, resolve, reject, rounds: 0 }, nowMs)
    })
  }

  #renew(intent: RenewalIntent): Promise<void> {
    return this.#lease.renew({
      intent,
      waiting: () => this.#renewals.waiting.map(({ cost }) => cost),
      conclude: (asked) => this.#conclude(asked),
    })
  }

  /** The first `asked` of the waiting calls were counted in the renewal; later ones may be served from what is left over. */
  #conclude(asked: number): void {
    const nowMs = this.#deps.clock.now()
    this.#renewals.waiting = this.#renewals.waiting.filter(
      (waiter, i) => !this.#answer(waiter, { wasAsked: i < asked, nowMs }),
    )
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
    await this.#renewals.quiet()
    await this.#renewals.start('stay', this.#deps.clock.now())
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
