/**
 * The wire between host and `durable-functions` 3.x: JSON over ordinary invocations, replay schema V3.
 * Numbers and names are those of the library and of the extension's out-of-process protocol.
 */

/** `upperSchemaVersion` of an extension that speaks V2 and, in the newer field, V3. Entity locks would need V4. */
export const SCHEMA_V2 = 1
export const SCHEMA_V3 = 2

/** Timers longer than this are split by the library into steps of LONG_TIMER_STEP_MS; both as .NET time spans, too. */
export const SHORT_TIMER_MS_MAX = 6 * 24 * 3_600_000
export const LONG_TIMER_STEP_MS = 3 * 24 * 3_600_000
export const SHORT_TIMER_MAX_TIME_SPAN = '6.00:00:00'
export const LONG_TIMER_STEP_TIME_SPAN = '3.00:00:00'
export const HTTP_POLL_MS_DEFAULT = 30_000

export const EventType = {
  executionStarted: 0,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  childCreated: 7,
  childCompleted: 8,
  childFailed: 9,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  orchestratorCompleted: 13,
  eventSent: 14,
  eventRaised: 15,
} as const

export const ActionType = {
  callActivity: 0,
  callActivityWithRetry: 1,
  callSubOrchestrator: 2,
  callSubOrchestratorWithRetry: 3,
  continueAsNew: 4,
  createTimer: 5,
  waitForExternalEvent: 6,
  callEntity: 7,
  callHttp: 8,
  signalEntity: 9,
  whenAny: 11,
  whenAll: 12,
} as const

export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number
  /** Counts the first try. */
  readonly maxNumberOfAttempts: number
  readonly backoffCoefficient?: number
  readonly maxRetryIntervalInMilliseconds?: number
  readonly retryTimeoutInMilliseconds?: number
}

/**
 * One thing that an orchestrator asks for. Only the fields of its `actionType` are there; `fireAt` is a Date when the
 * action comes straight from the library and text when it has been through JSON.
 */
export interface OrchestratorAction {
  readonly actionType: number
  readonly functionName?: string
  readonly instanceId?: string
  readonly input?: unknown
  readonly retryOptions?: RetryOptions
  readonly fireAt?: Date | string
  readonly isCanceled?: boolean
  readonly operation?: string
  readonly httpRequest?: DurableHttpRequest
  readonly compoundActions?: readonly OrchestratorAction[]
}

export interface DurableHttpRequest {
  readonly method: string
  readonly uri: string
  readonly content?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly tokenSource?: unknown
  /** True: the library expects a 202 with a Location to be polled. */
  readonly asynchronousPatternEnabled?: boolean
}

/** What an orchestrator's turn returns. `actions` has one list, cumulative since the start of the execution. */
export interface OrchestratorState {
  readonly isDone: boolean
  readonly actions: readonly (readonly OrchestratorAction[])[]
  readonly output?: unknown
  readonly customStatus?: unknown
  readonly error?: string
  readonly failureDetails?: { readonly ErrorMessage?: string; readonly errorMessage?: string }
}

/** Stands before the state, as JSON, in the message of the error that a failing orchestrator throws. */
export const FAILURE_STATE_MARKER = '\n\n$OutOfProcData$:'

export interface EntityRequest {
  readonly self: { readonly name: string; readonly key: string }
  readonly exists: boolean
  readonly state: string | null
  readonly batch: readonly { readonly name: string; readonly input: string | null; readonly isSignal: boolean }[]
}

export interface EntityResponse {
  readonly entityExists: boolean
  readonly entityState?: string | null
  /** `results[i]` belongs to `batch[i]`. */
  readonly results: readonly { readonly isError: boolean; readonly result?: string }[]
  readonly signals: readonly {
    readonly target: { readonly name: string; readonly key: string }
    readonly name: string
    readonly input: string
  }[]
}

/** The id under which an entity is an instance: `@name@key`, the name in lower case, the key as it is. */
export type EntityInstanceId = `@${string}@${string}`

export function entityInstanceId(name: string, key: string): EntityInstanceId {
  return `@${name.toLowerCase()}@${key}`
}

export function isEntityInstanceId(instanceId: string): boolean {
  return instanceId.startsWith('@')
}

export function parseEntityInstanceId(instanceId: string): { name: string; key: string } {
  const at = instanceId.indexOf('@', 1)
  return { name: instanceId.slice(1, at), key: instanceId.slice(at + 1) }
}
