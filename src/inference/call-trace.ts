import type { BackendId, CallId, CallerId, TenantId } from '../base/ids'
import type { CallIntent, CallSettlement } from '../metering/usage-record'
import type { Backend } from '../routing/backend'
import type { Attempt } from './attempt'

/** Told of calls on their way, where telemetry is set up. Nothing of it is awaited, and none of it throws. */
export interface CallTraces {
  /** A call has come in, with the `traceparent` that its client sent (W3C Trace Context), or none. */
  begin(call: TracedRequest): CallTrace
}

export interface TracedRequest {
  readonly callId: CallId
  readonly traceParent: string | undefined
  /** The `tracestate` that its client sent with a `traceparent` of its own; null for none. */
  readonly traceState: string | null
  /** HTTP's; undefined for what the platform itself asks. */
  readonly method: string | undefined
}

/**
 * One call's. It is told ids, names of ours and numbers, never what stands in a body (I10); exactly one of `ended` and `answered` says
 * how the call went, and which one follows from whether it began.
 */
export interface CallTrace {
  readonly traceId: string
  /** Whose call it is, and what it asks for, before anything may refuse it. */
  isOf(caller: { readonly tenantId: TenantId; readonly keyId: CallerId; readonly operation: string }): void
  /** It stands in the usage log. */
  began(intent: CallIntent): void
  /** It has just had to wait for its turn at the backends. */
  queued(ms: number): void
  /** A backend is about to be asked. */
  attempt(backendId: BackendId): AttemptTrace
  /** Its answer waits for the usage log; gives the wait back. */
  durable(wait: Promise<void>): Promise<void>
  /** It was settled. Its answer may still wait for the usage log. */
  ended(settlement: CallSettlement, backend: Backend | undefined): void
  /** An answer is there: all there is to tell of a request that never came to stand in the usage log, and else nothing new. */
  answered(status: number, code?: string): void
}

export interface AttemptTrace {
  readonly traceId: string
  /** Sent along, so that what the backend traces belongs to this attempt. */
  readonly traceParent: string
  /** Sent with it: what other tracing systems say of the trace. */
  readonly traceState: string | undefined
  ended(outcome: Attempt): void
}
