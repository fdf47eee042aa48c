import { assert } from '../base/assert'
import type { TenantScope } from '../storage/tenant-scope'
import type { OwnLimits } from '../tenants/snapshot'
import { HeldAdmission } from './held-admission'
import type { Ask, Refusal, Verdict } from './judge-ask'
import type { Ledger } from './ledger'
import type { AdmissionRequest, AdmissionResult, LimitScope, RateView } from './limiter'
import type { Renewal } from './renew-window'
import { limitsUnavailable } from './renewal-attempts'
import { Renewals } from './renewals'
import { TenantLease, type LeaseDeps } from './tenant-lease'
import { cellAt, leavesAtMs, type SectionId } from './window-state'

/** Renewals a call may go through when overruns of others keep eating what it was granted. */
const ROUNDS_MAX = 3
/** While anything is held the lease is renewed so often: three tries before it expires. */
const RENEW_MS = 2_000
/** Renewals ahead of need follow each other no faster. */
const AHEAD_GAP_MS = 100
const SLOT_WAIT_MS_MIN = 100
const SLOT_WAIT_MS_MAX = 5_000
const HOLD_MS_AT_FIRST = 1_000
/** The mean time for which calls keep their slots follows the last 16 or so. */
const HOLD_SMOOTHING = 1 / 16

interface Waiter {
  readonly ask: Ask
  readonly ledgers: readonly Ledger[]
  readonly resolve: (result: AdmissionResult) => void
  readonly reject: (error: unknown) => void
  rounds: number
}

/**
 * Decides the calls of one tenant on this instance. In the steady state a call is taken out of the lease at once;
 * otherwise it waits, in order of arrival and together with all others, for the one renewal under way.
 */
export class TenantGate {
  readonly #deps: LeaseDeps
  readonly #lease: TenantLease
  readonly #renewals: Renewals<Waiter>
  #usedAtMs = -Infinity
  #holdMsMean = HOLD_MS_AT_FIRST

  constructor(deps: LeaseDeps, scope: TenantScope) {
    this.#deps = deps
    this.#lease = new TenantLease(deps, scope)
    this.#renewals = new Renewals(deps, {
      what: 'the limits row',
      renewMs: RENEW_MS,
      aheadGapMs: AHEAD_GAP_MS,
      lease: this.#lease,
      renew: (intent) => this.#renew(intent),
    })
  }

  admit(request: AdmissionRequest): AdmissionResult | Promise<AdmissionResult> {
    const { tokens } = request
    assert(Number.isSafeInteger(tokens) && tokens >= 1, 'an estimate is a whole number of tokens, at least 1')
    const nowMs = this.#deps.clock.now()
    this.#usedAtMs = nowMs
    const ledgers = this.#ledgersOf(request)
    const tooSmall = ledgers.find(({ caps }) => tokens > caps.tokens)
    if (tooSmall) return neverFits(tooSmall)

    if (this.#covers(ledgers, tokens, nowMs)) {
      for (const ledger of ledgers) ledger.notice(tokens, nowMs)
      const admitted = this.#take(ledgers, tokens, nowMs)
      if (ledgers.some((ledger) => ledger.isRunningLow())) this.#renewals.ahead(nowMs)
      return admitted
    }
    const ask: Ask = { sections: ledgers.map(({ section }) => section), tokens }
    const verdict = this.#judge(ask, nowMs)
    if (verdict?.kind === 'refused') return this.#refuse(verdict, ledgers, nowMs)
    return this.#wait(ask, ledgers, nowMs)
  }

  /** Renews what is held before it expires, and gives back what is not needed. Returns whether a renewal was started. */
  tend(nowMs: number): boolean {
    return this.#renewals.tend(nowMs)
  }

  /** Whether forgetting this tenant loses nothing but what is remembered of its window. */
  isIdle(): boolean {
    return !this.#renewals.isUnderWay && this.#renewals.waiting.length === 0 && this.#lease.isEmpty()
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

  /** The tenant's, and those of the key and the alias where these have limits of their own. */
  #ledgersOf({ limits, key, alias, pool }: AdmissionRequest): readonly Ledger[] {
    const ledgers = [this.#ledger('tenant', limits)]
    if (key && hasLimits(key.limits)) ledgers.push(this.#ledger(key.keyId, key.limits))
    if (alias && hasLimits(alias.limits)) ledgers.push(this.#ledger(`alias.${alias.name}`, alias.limits))
    if (pool && hasLimits(pool.limits)) ledgers.push(this.#ledger(`pool.${pool.poolId}`, pool.limits))
    return ledgers
  }

  #ledger(section: SectionId, limits: OwnLimits): Ledger {
    return this.#lease.ledger(section, limits) ?? refuseForSpace()
  }

  #covers(ledgers: readonly Ledger[], tokens: number, nowMs: number): boolean {
    return this.#lease.isUsable(nowMs) && ledgers.every((ledger) => ledger.covers(tokens))
  }

  #take(ledgers: readonly Ledger[], tokens: number, nowMs: number): AdmissionResult {
    const cell = cellAt(nowMs, this.#deps.shape)
    for (const ledger of ledgers) ledger.take(tokens, cell)
    const admission = new HeldAdmission(this, {
      ledgers,
      tokens,
      cell,
      sinceMs: nowMs,
      rates: ratesOf(ledgers, () => leavesAtMs(cell, this.#deps.shape) - nowMs),
    })
    return { kind: 'admitted', admission }
  }

  /** Called by an admission when it settles: the wall time and its cell, and what was learnt of how long calls take. */
  settling(sinceMs: number): number {
    const nowMs = this.#deps.clock.now()
    this.#holdMsMean += (Math.max(0, nowMs - sinceMs) - this.#holdMsMean) * HOLD_SMOOTHING
    return cellAt(nowMs, this.#deps.shape)
  }

  #judge(ask: Ask, nowMs: number): Verdict | undefined {
    return this.#lease.judge(ask, nowMs, { slotWaitMs: this.#slotWaitMs(), mayBeOld: this.#renewals.isUnderWay })
  }

  #wait(ask: Ask, ledgers: readonly Ledger[], nowMs: number): Promise<AdmissionResult> {
    for (const ledger of ledgers) ledger.notice(ask.tokens, nowMs)
    return new Promise((resolve, reject) => {
      this.#renewals.wait({ ask, ledgers, resolve, reject, rounds: 0 }, nowMs)
    })
  }

  #renew(intent: Renewal['intent']): Promise<void> {
    let batch: readonly Waiter[] = []
    return this.#lease.renew({
      intent,
      slotWaitMs: this.#slotWaitMs(),
      asks: () => {
        batch = [...this.#renewals.waiting]
        return batch.map(({ ask }) => ask)
      },
      conclude: (verdicts) => this.#conclude(batch, verdicts),
    })
  }

  /** Calls that came after the renewal was decided are served from what it left over, or refused by what it showed. */
  #conclude(batch: readonly Waiter[], verdicts: readonly Verdict[]): void {
    const nowMs = this.#deps.clock.now()
    const later = this.#renewals.waiting.slice(batch.length)
    const unserved = batch.filter((waiter, i) => !this.#answer(waiter, verdicts[i], nowMs))
    const stillWaiting = later.filter((waiter) => !this.#answer(waiter, this.#judge(waiter.ask, nowMs), nowMs))
    this.#renewals.waiting = [...unserved, ...stillWaiting]
  }

  #answer(waiter: Waiter, verdict: Verdict | undefined, nowMs: number): boolean {
    const { ask, ledgers, resolve, reject } = waiter
    if (verdict?.kind === 'full')
      reject(limitsUnavailable('no place for one more key, alias or instance in the limits row'))
    else if (verdict?.kind === 'refused') resolve(this.#refuse(verdict, ledgers, nowMs))
    else if (this.#covers(ledgers, ask.tokens, nowMs)) resolve(this.#take(ledgers, ask.tokens, nowMs))
    else if (++waiter.rounds < ROUNDS_MAX) return false
    else reject(limitsUnavailable('granted tokens were overrun before the call could take them'))
    return true
  }

  #refuse(refusal: Refusal, ledgers: readonly Ledger[], nowMs: number): AdmissionResult {
    return {
      kind: 'refused',
      limit: refusal.limit,
      scope: scopeOf(refusal.section),
      retryAfterMs: refusal.waitMs,
      rates: ratesOf(ledgers, ({ section }) => this.#lease.resetMs(section, nowMs)),
    }
  }

  #slotWaitMs(): number {
    return Math.min(Math.max(this.#holdMsMean, SLOT_WAIT_MS_MIN), SLOT_WAIT_MS_MAX)
  }
}

function neverFits({ section, caps }: Ledger): AdmissionResult {
  return { kind: 'never-fits', scope: scopeOf(section), tokensPerMinute: caps.tokens }
}

/** Of those that hold for the call, the one that has least left, of requests and of tokens. */
function ratesOf(ledgers: readonly Ledger[], resetMs: (ledger: Ledger) => number): RateView {
  const fewest = (left: (ledger: Ledger) => number) =>
    ledgers.reduce((a, b) => (b.isKnown && left(b) < left(a) ? b : a))
  const requests = fewest(({ leftRequests }) => leftRequests)
  const tokens = fewest(({ leftTokens }) => leftTokens)
  return {
    requests: { limit: requests.caps.requests, remaining: requests.leftRequests, resetMs: resetMs(requests) },
    tokens: { limit: tokens.caps.tokens, remaining: tokens.leftTokens, resetMs: resetMs(tokens) },
  }
}

function hasLimits({ requestsPerMinute, tokensPerMinute, concurrentCalls }: OwnLimits): boolean {
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined || concurrentCalls !== undefined
}

function scopeOf(section: SectionId): LimitScope {
  if (section === 'tenant') return 'tenant'
  if (section.startsWith('pool.')) return 'pool'
  return section.startsWith('alias.') ? 'alias' : 'key'
}

function refuseForSpace(): never {
  throw limitsUnavailable('too many keys and aliases with limits of their own in use at once')
}
