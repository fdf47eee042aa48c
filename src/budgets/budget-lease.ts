import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import { inTime } from '../base/in-time'
import { attemptRenewal, limitsUnavailable } from '../limits/renewal-attempts'
import type { TenantScope } from '../storage/tenant-scope'
import { minus, plus, type Amount } from './amount'
import { BudgetLedger } from './budget-ledger'
import { advanceBudget, type BudgetState } from './budget-state'
import type { BudgetStore, BudgetSubject, BudgetWritten, StoredBudget } from './budget-store'
import { renewBudget, SKEW_MS_MAX, type BudgetReport, type Truth } from './renew-budget'
import { countFromHour, seedBudget, truthOf, type SpentByLog } from './true-up'

/** One read or write. Later than this it counts as unanswered. */
const STORAGE_MS_MAX = 1_500
/** The usage log is read to its end first, which other instances' logs may make long. */
const LOG_MS_MAX = 5_000
/** Of a month, with no call waiting for it. */
const RECOUNT_MS_MAX = 60_000
/** The holder stops spending so many clock margins before its lease expires. */
const STOP_MARGINS = 2

export interface LeaseDeps {
  readonly store: BudgetStore
  readonly spentByLog: SpentByLog
  readonly clock: Clock
  readonly chance: Chance
  readonly instanceId: InstanceId
}

export interface BudgetRenewal {
  readonly intent: BudgetReport['intent']
  /** Asked anew at every attempt, as late as possible: whoever came meanwhile is served by the same write. */
  readonly waiting: () => readonly Amount[]
  /** Called at once when the row says so, with how many waiting calls were counted in. */
  readonly conclude: (asked: number) => void
}

/**
 * This instance's lease of one row of budgets: the ledger that calls spend from, and the renewals by which it and the row
 * are brought to agree. Owned by one BudgetGate, which never runs two renewals at once.
 *
 * B5  While a write is under way, and after one that was not answered, only that is spent which both possible rows lease to
 *     us. The next write that is answered ends the doubt (B2).
 * B6  Nothing is spent from a lease within the stop margin of its expiry, by the wall clock or by the monotonic one.
 */
export class BudgetLease {
  readonly ledger: BudgetLedger
  readonly #deps: LeaseDeps
  readonly #scope: TenantScope
  readonly #subject: BudgetSubject
  #known: StoredBudget | undefined
  #knownAtMs = -Infinity
  /** Whether the row has an entry of ours, as far as we know. */
  #held = false
  #inDoubt = false
  #truth: Truth | undefined
  #usableUntilMs = -Infinity
  #usableUntilMonotonicMs = -Infinity
  /** Wall time at which the row last agreed with us. */
  renewedAtMs = -Infinity

  constructor(deps: LeaseDeps, scope: TenantScope, subject: BudgetSubject) {
    this.#deps = deps
    this.#scope = scope
    this.#subject = subject
    this.ledger = new BudgetLedger(deps.clock.now())
  }

  /** The row as last seen, but with what we know of ourselves since. */
  get known(): BudgetState | undefined {
    if (!this.#known) return undefined
    const { state } = this.#known
    const { free, reserved, spent, foldedToHour } = this.ledger
    const own = { expiresAtMs: this.#usableUntilMs, lease: plus(free, reserved), spent, foldedToHour }
    return { ...state, holders: new Map(state.holders).set(this.#deps.instanceId, own) }
  }

  knownForMs(nowMs: number): number {
    return nowMs - this.#knownAtMs
  }

  isUsable(nowMs: number): boolean {
    return nowMs < this.#usableUntilMs && this.#deps.clock.monotonicMs() < this.#usableUntilMonotonicMs
  }

  isEmpty(): boolean {
    return !this.#held && !this.#inDoubt && this.ledger.isEmpty()
  }

  /** Whether hours before `hour` are over that the row still has by what instances said. */
  isBehind(hour: number): boolean {
    return this.#known !== undefined && this.#truth === undefined && this.#known.state.trueUpToHour < hour
  }

  /** What the usage log says goes into the next renewal. */
  async askLog(toHour: number): Promise<void> {
    if (!this.#known) return
    const nowMs = this.#deps.clock.now()
    const { trueUpToHour } = advanceBudget(this.#known.state, { nowMs })
    if (trueUpToHour >= toHour) return
    const fromHour = countFromHour({ trueUpToHour, toHour })
    const counted = truthOf(this.#spentIn, { fromHour, toHour, nowMs })
    this.#truth = await inTime({ clock: this.#deps.clock, timeoutMs: RECOUNT_MS_MAX, what: 'the usage log' }, counted)
  }

  /** Throws `storage_unavailable` when the row could not be changed in time; nothing is reserved then. */
  async renew(renewal: BudgetRenewal): Promise<void> {
    let unread = this.#isAlone()
    await attemptRenewal(this.#deps, async () => {
      if (unread && (await this.#attempt(renewal, 'unread'))) return true
      unread = false
      return this.#attempt(renewal, 'read')
    })
  }

  /** True when the row says what was asked for, or need not be changed. */
  async #attempt(renewal: BudgetRenewal, row: 'read' | 'unread'): Promise<boolean> {
    const { clock, store } = this.#deps
    const stored = row === 'unread' ? this.#known : await this.#inTime(store.read(this.#scope, this.#subject))
    if (row === 'read') this.#reconcile(stored)
    if (!stored && this.ledger.isEmpty() && renewal.waiting().length === 0) return this.#rest(renewal)
    const base = stored?.state ?? (await this.#fromLog(seedBudget(this.#spentIn, clock.now())))

    // From here to the write nothing else runs: the report, what it leases and what is frozen belong together.
    const nowMs = Math.floor(clock.now())
    const monotonicMs = clock.monotonicMs()
    const report = this.#report(renewal, nowMs)
    const renewed = renewBudget(base, report, nowMs)
    if (renewed.kind === 'full') throw limitsUnavailable('no place for one more instance in a row of budgets')
    // By memory alone nobody is refused: others may have given back.
    if (row === 'unread' && !renewed.servesAll) return false
    if (stored && !renewed.changed && !this.#inDoubt) {
      this.#told(report)
      this.#agree(base, report, { nowMs, monotonicMs })
    } else {
      const frozen = this.ledger.freeze(renewed.free)
      const kept = this.ledger.free
      const written = await this.#write(renewed.state, stored?.tag)
      if (written.kind === 'lost-race') {
        if (!this.#inDoubt) this.ledger.thaw(frozen)
        return false
      }
      this.#know({ state: renewed.state, tag: written.tag }, nowMs)
      this.#inDoubt = false
      this.#told(report)
      this.ledger.gain(minus(renewed.free, kept))
      this.#agree(renewed.state, report, { nowMs, monotonicMs })
    }
    renewal.conclude(report.waiting.length)
    return true
  }

  async #write(state: BudgetState, tag: string | undefined): Promise<BudgetWritten> {
    try {
      return await this.#inTime(this.#deps.store.write(this.#scope, this.#subject, { state, tag }))
    } catch (error) {
      this.#inDoubt = true
      throw error
    }
  }

  #report({ intent, waiting }: BudgetRenewal, nowMs: number): BudgetReport {
    const { budgets, reserved, spent, foldedToHour, callCost } = this.ledger
    return {
      instanceId: this.#deps.instanceId,
      budgets,
      reserved,
      spent,
      foldedToHour,
      waiting: waiting(),
      demand: this.ledger.demandAt(nowMs),
      callCost,
      intent,
      truth: this.#truth,
    }
  }

  /** What the log said meanwhile was in no report yet, and waits for the next one. */
  #told({ truth }: BudgetReport): void {
    if (this.#truth === truth) this.#truth = undefined
  }

  /** The row says what the report did: what it leases to us is ours until shortly before it expires (B6). */
  #agree(
    { holders, trueUpToHour }: BudgetState,
    { spent, budgets, intent }: BudgetReport,
    { nowMs, monotonicMs }: { nowMs: number; monotonicMs: number },
  ): void {
    const own = holders.get(this.#deps.instanceId)
    this.#held = own !== undefined && intent === 'stay'
    if (intent === 'leave') this.ledger.drop()
    else if (!own) this.ledger.handOver(spent)
    this.ledger.agreed({ sizedBy: budgets, nowMs })
    this.ledger.foldTo(Math.max(trueUpToHour, own?.foldedToHour ?? 0))
    this.renewedAtMs = nowMs
    this.#usableUntilMs = (own?.expiresAtMs ?? nowMs) - STOP_MARGINS * SKEW_MS_MAX
    this.#usableUntilMonotonicMs = monotonicMs + this.#usableUntilMs - nowMs
  }

  /** Finds out what has happened to our entry since we last saw the row. */
  #reconcile(stored: StoredBudget | undefined): void {
    if (stored) this.#know(stored, this.#deps.clock.now())
    const own = stored?.state.holders.get(this.#deps.instanceId)
    if (own) {
      this.#held = true
      this.ledger.foldTo(Math.max(own.foldedToHour, stored?.state.trueUpToHour ?? 0))
      return
    }
    if (!this.#held) return
    // Counted as spent by somebody else (B3), or by a write of ours that took the entry away; or the row was deleted, and
    // the usage log is what is left.
    this.ledger.drop()
    this.#held = false
    this.#inDoubt = false
    this.#usableUntilMs = -Infinity
  }

  /** Without a call to serve, a row that is gone stays gone: its tenant may have been offboarded. */
  #rest(renewal: BudgetRenewal): true {
    this.#known = undefined
    this.#knownAtMs = -Infinity
    this.#inDoubt = false
    this.#truth = undefined
    this.renewedAtMs = this.#deps.clock.now()
    renewal.conclude(0)
    return true
  }

  #know(stored: StoredBudget, nowMs: number): void {
    this.#known = stored
    this.#knownAtMs = nowMs
  }

  /** Whether the row is most likely as we left it, so that a write can be tried without reading it first. */
  #isAlone(): boolean {
    if (!this.#known || this.#inDoubt) return false
    for (const holderId of this.#known.state.holders.keys()) if (holderId !== this.#deps.instanceId) return false
    return true
  }

  readonly #spentIn = (span: { fromMs: number; toMs: number }) =>
    this.#deps.spentByLog(this.#scope, this.#subject, span)

  #inTime<T>(operation: Promise<T>): Promise<T> {
    return inTime({ clock: this.#deps.clock, timeoutMs: STORAGE_MS_MAX, what: 'storage' }, operation)
  }

  #fromLog<T>(operation: Promise<T>): Promise<T> {
    return inTime({ clock: this.#deps.clock, timeoutMs: LOG_MS_MAX, what: 'the usage log' }, operation)
  }
}
