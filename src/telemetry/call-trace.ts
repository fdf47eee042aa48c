import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { BackendId, CallId } from '../base/ids'
import type { Attempt } from '../inference/attempt'
import type { AttemptTrace, CallTrace, CallTraces, TracedRequest } from '../inference/call-trace'
import type { CallIntent, CallSettlement } from '../metering/usage-record'
import type { Backend } from '../routing/backend'
import type { CallMetrics } from './call-metrics'
import type { Sampling } from './sampling'
import { newSpanId, newTraceId, readTraceParent, writeTraceParent } from './trace-parent'
import { readTraceState } from './trace-state'

/** What became of a call, and when: all that its spans are made of. Times are milliseconds from its arrival. */
export interface TracedCall {
  readonly callId: CallId
  readonly method: string | undefined
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** Unix milliseconds. */
  readonly startedAt: number
  readonly caller: Caller | undefined
  readonly marks: readonly Mark[]
  readonly intent: CallIntent | undefined
  readonly settlement: CallSettlement | undefined
  readonly provider: Backend['api']['kind'] | undefined
  /** Of one that never came to stand in the usage log. */
  readonly answer: { readonly status: number; readonly code: string | undefined } | undefined
  readonly endMs: number
}

export type Caller = Parameters<CallTrace['isOf']>[0]

export type Mark =
  | { readonly kind: 'queue'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'durable'; readonly fromMs: number; readonly toMs: number }
  | {
      readonly kind: 'attempt'
      readonly fromMs: number
      readonly toMs: number
      readonly spanId: string
      readonly backendId: BackendId
      /** HTTP's, where the backend answered. */
      readonly status: number | undefined
      /** Why it is no answer for the client; undefined where it is one. */
      readonly errorType: string | undefined
    }

/** A call waits for a turn at most once a backend and a fallback, so this is out of reach unless something is wrong. */
const MARKS_MAX = 64

export interface CallTraceDeps {
  readonly clock: Clock
  readonly chance: Chance
  readonly sampling: Sampling
  readonly metrics: CallMetrics
  /** Takes a call whose spans are to be sent; they are made when they are sent, by when its last mark is there. */
  readonly keep: (call: TracedCall, ratio: number) => void
}

/**
 * On the data path nothing is made but this: ids, and a few marks. Whether the call's spans are kept is decided when it ends, since what
 * failed may be kept though its trace is not sampled.
 */
export function createCallTraces(deps: CallTraceDeps): CallTraces {
  return { begin: (request) => new LiveCall(deps, request) }
}

class LiveCall implements CallTrace, TracedCall {
  readonly callId: CallId
  readonly method: string | undefined
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly startedAt: number
  readonly marks: Mark[] = []
  caller: Caller | undefined
  intent: CallIntent | undefined
  settlement: CallSettlement | undefined
  provider: TracedCall['provider']
  answer: TracedCall['answer']
  endMs = 0
  readonly #deps: CallTraceDeps
  readonly #startedMonotonicMs: number
  readonly #share: number | undefined
  readonly #traceState: string | undefined

  constructor(deps: CallTraceDeps, { callId, method, traceParent, traceState }: TracedRequest) {
    const { clock, chance, sampling } = deps
    const parent = readTraceParent(traceParent)
    this.#deps = deps
    this.callId = callId
    this.method = method
    this.traceId = parent?.traceId ?? newTraceId(chance)
    this.spanId = newSpanId(chance)
    this.parentSpanId = parent?.spanId
    // It belongs to the `traceparent`: without one that was taken it says nothing of this trace.
    this.#traceState = parent && readTraceState(traceState)
    this.startedAt = clock.now()
    this.#startedMonotonicMs = clock.monotonicMs()
    this.#share = sampling.shareOf(this.traceId, parent)
  }

  isOf(caller: Caller): void {
    this.caller = caller
  }

  began(intent: CallIntent): void {
    this.intent = intent
  }

  queued(ms: number): void {
    const toMs = this.#ageMs()
    this.#mark({ kind: 'queue', fromMs: toMs - ms, toMs })
  }

  attempt(backendId: BackendId): AttemptTrace {
    const { chance, metrics } = this.#deps
    const fromMs = this.#ageMs()
    const spanId = newSpanId(chance)
    return {
      traceId: this.traceId,
      traceState: this.#traceState,
      traceParent: writeTraceParent({ traceId: this.traceId, spanId, isSampled: this.#share !== undefined }),
      ended: (outcome) => {
        // It was not asked at all.
        if (outcome.kind === 'resting') return
        const status = statusOf(outcome)
        const errorType = errorTypeOf(outcome)
        metrics.attempt(backendId, errorType)
        this.#mark({ kind: 'attempt', fromMs, toMs: this.#ageMs(), spanId, backendId, status, errorType })
      },
    }
  }

  durable(wait: Promise<void>): Promise<void> {
    const fromMs = this.#ageMs()
    const written = () => this.#mark({ kind: 'durable', fromMs, toMs: this.#ageMs() })
    wait.then(written, written)
    return wait
  }

  ended(settlement: CallSettlement, backend: Backend | undefined): void {
    this.settlement = settlement
    this.provider = backend?.api.kind
    this.endMs = this.#ageMs()
    if (this.intent) this.#deps.metrics.ended(this.intent, settlement, this.provider)
    const isWell = settlement.outcome === 'completed'
    this.#keep(isWell ? 'well' : settlement.outcome === 'rejected' ? 'refused' : 'failed')
  }

  answered(status: number, code?: string): void {
    if (this.intent) return
    this.answer = { status, code }
    this.endMs = this.#ageMs()
    if (code !== undefined) this.#deps.metrics.refused(this.caller?.tenantId, { code, status })
    this.#keep(status < 400 ? 'well' : status < 500 ? 'refused' : 'failed')
  }

  #keep(end: 'well' | 'refused' | 'failed'): void {
    const share = this.#share ?? this.#deps.sampling.shareAtEnd(end)
    if (share !== undefined) this.#deps.keep(this, share)
  }

  #mark(mark: Mark): void {
    if (this.marks.length < MARKS_MAX) this.marks.push(mark)
  }

  #ageMs(): number {
    return this.#deps.clock.monotonicMs() - this.#startedMonotonicMs
  }
}

function statusOf(outcome: Attempt): number | undefined {
  switch (outcome.kind) {
    case 'whole':
      return outcome.status
    case 'stream':
      return 200
    case 'throttled':
      return 429
    default:
      return undefined
  }
}

/** In words of ours: what the backend said of it may quote the call. */
function errorTypeOf(outcome: Attempt): string | undefined {
  switch (outcome.kind) {
    case 'whole':
      return outcome.status >= 400 ? String(outcome.status) : undefined
    case 'stream':
      return undefined
    case 'failed':
      return outcome.why
    default:
      return outcome.kind
  }
}
