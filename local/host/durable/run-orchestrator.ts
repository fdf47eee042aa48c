import { messageOf } from '../log'
import type { DurableFunctions } from './functions'
import {
  ActionType,
  FAILURE_STATE_MARKER,
  HTTP_POLL_MS_DEFAULT,
  LONG_TIMER_STEP_TIME_SPAN,
  type OrchestratorAction,
  type OrchestratorState,
  SCHEMA_V2,
  SCHEMA_V3,
  SHORT_TIMER_MAX_TIME_SPAN,
} from './protocol'

/** What the orchestrator's code has come to. JSON values are texts. */
export type Outcome =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'completed'; readonly output: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'continued-as-new'; readonly input: string }

export interface OrchestratorAnswer {
  readonly outcome: Outcome
  readonly actions: readonly OrchestratorAction[]
  readonly customStatus: string | undefined
}

/** Runs an orchestrator over its history (JSON texts of events, in order) and reads its answer. */
export async function runOrchestrator(
  functions: DurableFunctions,
  execution: {
    readonly name: string
    readonly instanceId: string
    readonly parentInstanceId: string | undefined
    readonly input: string
    readonly history: readonly string[]
  },
): Promise<OrchestratorAnswer> {
  const { name, instanceId, parentInstanceId, input, history } = execution
  const rest = JSON.stringify({
    instanceId,
    isReplaying: false,
    parentInstanceId: parentInstanceId ?? null,
    upperSchemaVersion: SCHEMA_V2,
    upperSchemaVersionNew: SCHEMA_V3,
    longRunningTimerIntervalDuration: LONG_TIMER_STEP_TIME_SPAN,
    maximumShortTimerDuration: SHORT_TIMER_MAX_TIME_SPAN,
    defaultHttpAsyncRequestSleepTimeMillseconds: HTTP_POLL_MS_DEFAULT,
  })
  // The history is put together from texts that were made once; encoding it anew each turn would cost more and more.
  const trigger = `{"history":[${history.join(',')}],"input":${input},${rest.slice(1)}`
  const run = await functions.run('orchestration', name, trigger, instanceId)
  return run.kind === 'done' ? readState(run.result as OrchestratorState) : readFailure(run.error)
}

function readState(state: OrchestratorState): OrchestratorAnswer {
  return { outcome: outcomeOf(state), actions: state.actions[0] ?? [], customStatus: textOf(state.customStatus) }
}

function outcomeOf({ isDone, actions, output }: OrchestratorState): Outcome {
  const last = actions[0]?.at(-1)
  if (last?.actionType === ActionType.continueAsNew) {
    return { kind: 'continued-as-new', input: textOf(last.input) ?? 'null' }
  }
  return isDone ? { kind: 'completed', output: textOf(output) ?? 'null' } : { kind: 'waiting' }
}

/**
 * A failing orchestrator throws its state behind a marker; the state's actions still count (signals sent before the
 * failure, for one). Without the marker it is an error of the library itself, with no actions to carry out.
 */
function readFailure(error: unknown): OrchestratorAnswer {
  const text = messageOf(error)
  const at = text.indexOf(FAILURE_STATE_MARKER)
  if (at === -1) return { outcome: { kind: 'failed', message: text }, actions: [], customStatus: undefined }
  const state = JSON.parse(text.slice(at + FAILURE_STATE_MARKER.length)) as OrchestratorState
  const { failureDetails } = state
  const message = state.error ?? failureDetails?.ErrorMessage ?? failureDetails?.errorMessage ?? NO_MESSAGE
  return {
    outcome: { kind: 'failed', message },
    actions: state.actions[0] ?? [],
    customStatus: textOf(state.customStatus),
  }
}

/** On Azure such an orchestration is neither failed nor done and hangs for ever. */
const NO_MESSAGE =
  'The orchestrator threw something without a message. (On Azure this instance would hang: throw an Error with a text.)'

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
