import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { MicroUsd } from '../base/money'
import type { Turn } from '../fairness/turn'
import type { Admission } from '../limits/limiter'
import type { OpenCall } from '../metering/usage-log'
import type { CallOutcome, TokenUsage } from '../metering/usage-record'
import type { Backend } from '../routing/backend'

/** How a call ended, as relay and forward tell it. */
export interface CallEnd {
  readonly outcome: CallOutcome
  readonly status: number
  readonly usage: TokenUsage
  readonly estimated: boolean
  readonly backend: Backend | undefined
  readonly attempts: number
}

/**
 * A call from its admission to its end: the one place that settles the limits and the usage log, exactly once and on
 * every exit (I6, I8).
 */
export class RunningCall {
  readonly startedAt: number
  readonly #deps: RunningCallDeps
  readonly #startedMonotonicMs: number
  #firstByteMs: number | undefined
  #turn: Turn | undefined
  #ended = false

  constructor(deps: RunningCallDeps, start: { startedAt: number; startedMonotonicMs: number }) {
    this.#deps = deps
    this.startedAt = start.startedAt
    this.#startedMonotonicMs = start.startedMonotonicMs
    deps.onStart(this)
  }

  get ended(): boolean {
    return this.#ended
  }

  get ageMs(): number {
    return this.#deps.clock.monotonicMs() - this.#startedMonotonicMs
  }

  /** Resolves when the call is durable in the usage log; awaited before the answer's last byte. */
  durable(): Promise<void> {
    return this.#deps.entry.durable()
  }

  /** Its turn at the backends, which ends with the call. The same turn may be given again. */
  holds(turn: Turn): void {
    this.#turn = turn
  }

  firstByte(): void {
    this.#firstByteMs ??= this.ageMs
  }

  end({ outcome, status, usage, estimated, backend, attempts }: CallEnd): void {
    assert(!this.#ended, 'a call ends once')
    this.#ended = true
    const { admission, entry, costOf, onEnd } = this.#deps
    admission.settle(usage.promptTokens + usage.outputTokens)
    this.#turn?.release(usage.promptTokens + usage.outputTokens)
    entry.settle({
      outcome,
      status,
      usage,
      estimated,
      backendId: backend?.id,
      deployment: backend?.deployment,
      region: backend?.region,
      costMicroUsd: costOf(usage),
      latencyMs: Math.round(this.ageMs),
      firstByteMs: this.#firstByteMs === undefined ? undefined : Math.round(this.#firstByteMs),
      attempts,
    })
    onEnd(this)
  }
}

export interface RunningCallDeps {
  readonly clock: Clock
  readonly admission: Admission
  readonly entry: OpenCall
  readonly costOf: (usage: TokenUsage) => MicroUsd | undefined
  /** Keep the set of calls under way, for the total timeout and for a clean stop. */
  readonly onStart: (call: RunningCall) => void
  readonly onEnd: (call: RunningCall) => void
}
