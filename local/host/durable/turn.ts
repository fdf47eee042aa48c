import type { DurableHttpRequest, RetryOptions } from './protocol'

/** One event that a turn brought to an orchestrator. JSON values are texts; `taskNumber` is the library's number. */
export type TurnEvent =
  | { readonly kind: 'execution-started' }
  | { readonly kind: 'task-completed'; readonly taskNumber: number; readonly result: string }
  | { readonly kind: 'task-failed'; readonly taskNumber: number; readonly reason: string; readonly details: string }
  | { readonly kind: 'child-completed'; readonly taskNumber: number; readonly result: string }
  | { readonly kind: 'child-failed'; readonly taskNumber: number; readonly reason: string; readonly details: string }
  | { readonly kind: 'timer-fired'; readonly taskNumber: number; readonly fireAtMs: number }
  | { readonly kind: 'event-raised'; readonly name: string; readonly input: string }

/** A call that is tried again: which try it is, the first being 1. */
export interface Attempt {
  readonly attempt: number
  readonly options: RetryOptions
}

/** An activity or sub-orchestration, without the number that each try of it takes. */
export type Call =
  | { readonly kind: 'activity'; readonly name: string; readonly input: string }
  | {
      readonly kind: 'child'
      readonly name: string
      readonly input: string
      /** Undefined: a new id is made from the execution and the number. */
      readonly instanceId: string | undefined
    }

/** What a timer is for, which decides what its firing leads to. */
export type TimerRole =
  | { readonly kind: 'plain' }
  /** One step of a timer that is too long to be set at once. */
  | { readonly kind: 'step'; readonly finalMs: number }
  /** The pause before the next try. */
  | { readonly kind: 'retry'; readonly call: Call; readonly retry: Attempt }
  /** Fires at once: after the last try the library waits for one more timer before it throws. */
  | { readonly kind: 'exhausted' }

/** Work that a turn has started and that will come back as an event with its number. */
export type OpenTask = {
  readonly taskNumber: number
  /** Position of the action among all leaves of the orchestrator's list, by which a cancelled timer is found. */
  readonly leaf: number
} & (
  | { readonly kind: 'call'; readonly call: Call; readonly retry: Attempt | undefined }
  | { readonly kind: 'timer'; readonly fireAtMs: number; readonly role: TimerRole }
  | { readonly kind: 'http'; readonly request: DurableHttpRequest }
)

/** A message to an entity; it takes a number but is not waited for by the host. */
export interface SentEvent {
  readonly taskNumber: number
  readonly entityId: string
  readonly operation: string
  /** JSON text; undefined when the orchestrator gave none. */
  readonly input: string | undefined
  /** Names the answer. Undefined for signals, which have none. */
  readonly requestId: string | undefined
}

/** Everything that one run of the orchestrator changed; stored once, and what replay and restart are made from. */
export interface Turn {
  readonly generation: number
  readonly turn: number
  readonly timestampMs: number
  readonly events: readonly TurnEvent[]
  readonly scheduled: readonly OpenTask[]
  readonly sent: readonly SentEvent[]
  readonly canceled: readonly number[]
  readonly nextNumber: number
  /** Top-level actions and leaves seen so far, so that the next turn knows which are new. */
  readonly actionCount: number
  readonly leafCount: number
}
