import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { Member } from '../base/members'
import type { MicroUsd } from '../base/money'
import type { ProblemCode } from '../base/problem-codes'
import type { Turn } from '../fairness/turn'
import type { OpenCall } from '../metering/usage-log'
import {
  noTokens,
  type CallOutcome,
  type CallSettlement,
  type ServedAs,
  type TokenUsage,
} from '../metering/usage-record'
import type { Backend } from '../routing/backend'
import type { LoadHold } from '../routing/load'
import type { CallAdmission } from './admit'
import type { CallTrace } from './call-trace'

/** How a call ended, as relay and forward tell it. */
export interface CallEnd {
  readonly outcome: CallOutcome
  readonly status: number
  readonly usage: TokenUsage
  readonly estimated: boolean
  readonly backend: Backend | undefined
  readonly attempts: number
  /**
   * What it uses is known when its response ends, and counts then (`LateUsage`): in the log it stands without any, while limits
   * and budgets keep `usage`.
   */
  readonly isMeteredLater?: boolean | undefined
  /** Why it was not answered, or not to its end. */
  readonly code?: ProblemCode | undefined
}

/**
 * A call from its admission to its end: the one place that settles the limits and the usage log, exactly once and on
 * every exit (I6, I8).
 */
export class RunningCall implements Member {
  readonly startedAt: number
  place = -1
  /** The instance stops and waits for it no longer: that is why it fails. */
  isCut = false
  readonly #deps: RunningCallDeps
  readonly #startedMonotonicMs: number
  #firstByteMs: number | undefined
  #admission: CallAdmission | undefined
  #servedAs: ServedAs | undefined
  #costOf: RunningCallDeps['costOf']
  #turn: Turn | undefined
  #load: LoadHold | undefined
  #hedgedTokens = 0
  #attempts = 0
  #throttledAttempts = 0
  #queuedMs = 0
  #told: ((end: CallEnd) => void) | undefined
  #ended = false

  constructor(deps: RunningCallDeps, start: { startedAt: number; startedMonotonicMs: number }) {
    this.#deps = deps
    this.#admission = deps.admission
    this.#costOf = deps.costOf
    this.startedAt = start.startedAt
    this.#startedMonotonicMs = start.startedMonotonicMs
    deps.onStart(this)
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Something of its answer has come. */
  get hasBegun(): boolean {
    return this.#firstByteMs !== undefined
  }

  get ageMs(): number {
    return this.#deps.clock.monotonicMs() - this.#startedMonotonicMs
  }

  /** Where telemetry is set up. */
  get trace(): CallTrace | undefined {
    return this.#deps.trace
  }

  /** Resolves when the call is durable in the usage log; awaited before the answer's last byte. */
  durable(): Promise<void> {
    const { entry, trace } = this.#deps
    return trace ? trace.durable(entry.durable()) : entry.durable()
  }

  /** Its turn at the backends, which ends with the call. The same turn may be given again. */
  holds(turn: Turn): void {
    this.#turn = turn
  }

  /** Its part of the throughput of the backend that answers. */
  uses(hold: LoadHold): void {
    this.#load = hold
  }

  /** A second backend had been asked for the same answer: it may bill this prompt, by our estimate. */
  hedged(promptTokens: number): void {
    this.#hedgedTokens += promptTokens
  }

  /** Backends were asked, and so many of them refused for capacity. */
  tried({ attempts, throttled }: { attempts: number; throttled: number }): void {
    this.#attempts += attempts
    this.#throttledAttempts += throttled
  }

  /** It has waited for its turn. */
  queued(ms: number): void {
    this.#queuedMs += ms
    this.#deps.trace?.queued(ms)
  }

  /** Nothing of an answer came: the call gives back its reservation and its turn, to go on elsewhere or to end. */
  leaves(): void {
    this.#admission?.settle({ tokens: 0, microUsd: 0 })
    this.#turn?.release(0)
    this.#admission = undefined
    this.#turn = undefined
  }

  /** It goes on at another alias, within that one's limits and at that one's price. */
  movesTo({
    admission,
    servedAs,
    costOf,
  }: Pick<RunningCallDeps, 'admission' | 'costOf'> & { servedAs: ServedAs }): void {
    assert(!this.#admission, 'a call holds one reservation at a time')
    this.#admission = admission
    this.#servedAs = servedAs
    this.#costOf = costOf
  }

  firstByte(): void {
    this.#firstByteMs ??= this.ageMs
  }

  /** Tells how it ended, behind everything else. `told` must not throw. */
  tells(told: (end: CallEnd) => void): void {
    this.#told = told
  }

  end(end: CallEnd): void {
    assert(!this.#ended, 'a call ends once')
    this.#ended = true
    const { outcome, status, usage, estimated, backend, attempts, isMeteredLater = false } = end
    const { entry, trace, onEnd } = this.#deps
    const usedTokens = usage.promptTokens + usage.outputTokens + this.#hedgedTokens
    const costMicroUsd = this.#priced(usage)
    this.#admission?.settle({ tokens: usedTokens, microUsd: costMicroUsd ?? 0 })
    this.#turn?.release(usedTokens)
    this.#load?.settle(usage)
    const settlement: CallSettlement = {
      outcome,
      status,
      usage: isMeteredLater ? noTokens : usage,
      estimated: estimated && !isMeteredLater,
      backendId: backend?.id,
      deployment: backend?.deployment,
      region: backend?.region,
      costMicroUsd: isMeteredLater ? 0 : costMicroUsd,
      latencyMs: Math.round(this.ageMs),
      firstByteMs: this.#firstByteMs === undefined ? undefined : Math.round(this.#firstByteMs),
      // Those before it went on elsewhere, or stood in line again, included.
      attempts: Math.max(attempts, this.#attempts),
      queuedMs: Math.round(this.#queuedMs),
      ...(this.#throttledAttempts > 0 ? { throttledAttempts: this.#throttledAttempts } : {}),
      ...(this.#hedgedTokens > 0 ? { hedgedTokens: this.#hedgedTokens } : {}),
      ...(end.code === undefined ? {} : { code: end.code }),
      ...(this.#servedAs ? { servedAs: this.#servedAs } : {}),
    }
    entry.settle(settlement)
    trace?.ended(settlement, backend)
    onEnd(this)
    this.#told?.(end)
  }

  /** A hedge that lost is a prompt of its own, not a longer one, which some models charge more for. */
  #priced(usage: TokenUsage): MicroUsd | undefined {
    const cost = this.#costOf(usage)
    if (this.#hedgedTokens === 0 || cost === undefined) return cost
    return cost + (this.#costOf({ ...noTokens, promptTokens: this.#hedgedTokens }) ?? 0)
  }
}

export interface RunningCallDeps {
  readonly clock: Clock
  readonly admission: CallAdmission
  readonly entry: OpenCall
  readonly trace?: CallTrace | undefined
  readonly costOf: (usage: TokenUsage) => MicroUsd | undefined
  /** Keep the set of calls under way, for the total timeout and for a clean stop. */
  readonly onStart: (call: RunningCall) => void
  readonly onEnd: (call: RunningCall) => void
}
