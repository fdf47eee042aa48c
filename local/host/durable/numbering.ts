import { assertNever } from '../assert-never'
import { ActionType, LONG_TIMER_STEP_MS, type OrchestratorAction, SHORT_TIMER_MS_MAX } from './protocol'
import type { Attempt, Call, OpenTask, SentEvent, TimerRole, Turn, TurnEvent } from './turn'

/**
 * The numbers of tasks. Owner of the one rule on which everything durable rests: the library numbers its tasks from
 * one counter and never tells the numbers, so the host must come to the same ones by itself.
 *
 * N1 New top-level actions are walked in list order, compound ones depth first; each leaf takes one number, except
 *    waits for external events and continueAsNew, which take none.
 * N2 A failed call with retry takes a number for a timer at once and, when that fires, one for the next try. After the
 *    last failure it takes a timer's number as well and throws only when that one has fired.
 * N3 A timer longer than the short maximum takes a number for a step; each step that ends early takes another.
 * N4 The numbers of N2 and N3 are taken before the orchestrator's code resumes, so before new actions of that turn.
 *    With several events in a turn their order among the actions could not be told from outside; hence
 *    `allowsBatches`: one event a turn while any retry or long timer is open.
 */
export interface Numbering {
  readonly nextNumber: number
  readonly actionCount: number
  readonly leafCount: number
  readonly open: ReadonlyMap<number, OpenTask>
}

export const NO_NUMBERS: Numbering = { nextNumber: 0, actionCount: 0, leafCount: 0, open: new Map() }

/** What a turn's actions ask for. A `fault` is a mistake of the app that would otherwise mix up later results. */
export interface ActionsTaken {
  readonly numbering: Numbering
  readonly scheduled: readonly OpenTask[]
  readonly sent: readonly SentEvent[]
  readonly canceled: readonly number[]
  readonly fault: string | undefined
}

/** The numbering after a stored turn. */
export function replayTurn(before: Numbering, turn: Turn): Numbering {
  const open = new Map(before.open)
  for (const event of turn.events) if ('taskNumber' in event) open.delete(event.taskNumber)
  for (const task of turn.scheduled) open.set(task.taskNumber, task)
  for (const taskNumber of turn.canceled) open.delete(taskNumber)
  const { nextNumber, actionCount, leafCount } = turn
  return { nextNumber, actionCount, leafCount, open }
}

/** True when several events may be delivered in one turn (N4). */
export function allowsBatches({ open }: Numbering): boolean {
  for (const task of open.values()) {
    if (task.kind === 'call' && task.retry) return false
    if (task.kind === 'timer' && task.role.kind !== 'plain') return false
  }
  return true
}

/** Work that keeps an orchestration from being finished: DurableTask completes only when none is open. */
export function hasOpenTasks({ open }: Numbering): boolean {
  return open.size > 0
}

/** Takes the inner numbers of N2 and N3 for the events of a turn, before the orchestrator runs. */
export function takeEvents(before: Numbering, events: readonly TurnEvent[], timestampMs: number) {
  const open = new Map(before.open)
  const scheduled: OpenTask[] = []
  let { nextNumber } = before
  for (const event of events) {
    if (!('taskNumber' in event)) continue
    const task = open.get(event.taskNumber)
    open.delete(event.taskNumber)
    const follower = task && followUp(task, event, timestampMs)
    if (!follower) continue
    const next: OpenTask = { ...follower, taskNumber: nextNumber++, leaf: task.leaf }
    open.set(next.taskNumber, next)
    scheduled.push(next)
  }
  return { numbering: { ...before, nextNumber, open }, scheduled }
}

type Unnumbered = OpenTask extends infer Task
  ? Task extends OpenTask
    ? Omit<Task, 'taskNumber' | 'leaf'>
    : never
  : never

function followUp(task: OpenTask, event: TurnEvent, timestampMs: number): Unnumbered | undefined {
  switch (task.kind) {
    case 'http':
      return undefined
    case 'call': {
      const isFailure = event.kind === 'task-failed' || event.kind === 'child-failed'
      return isFailure && task.retry ? pauseOrEnd(task.call, task.retry, timestampMs) : undefined
    }
    case 'timer':
      return afterTimer(task.role, timestampMs)
    default:
      return assertNever(task)
  }
}

function pauseOrEnd(call: Call, { attempt, options }: Attempt, timestampMs: number): Unnumbered {
  if (attempt >= options.maxNumberOfAttempts) {
    return { kind: 'timer', fireAtMs: timestampMs, role: { kind: 'exhausted' } }
  }
  const role: TimerRole = { kind: 'retry', call, retry: { attempt: attempt + 1, options } }
  return { kind: 'timer', fireAtMs: timestampMs + retryDelayMs({ attempt, options }), role }
}

/** first × coefficient^(failures - 1), at most the maximum: DurableTask.Core's RetryInterceptor. */
export function retryDelayMs({ attempt, options }: Attempt): number {
  const { firstRetryIntervalInMilliseconds, backoffCoefficient = 1, maxRetryIntervalInMilliseconds } = options
  const delayMs = firstRetryIntervalInMilliseconds * backoffCoefficient ** (attempt - 1)
  return Math.min(delayMs, maxRetryIntervalInMilliseconds ?? Infinity)
}

function afterTimer(role: TimerRole, timestampMs: number): Unnumbered | undefined {
  switch (role.kind) {
    case 'plain':
    case 'exhausted':
      return undefined
    case 'retry':
      return { kind: 'call', call: role.call, retry: role.retry }
    case 'step':
      return role.finalMs > timestampMs ? timerUntil(role.finalMs, timestampMs, 'step') : undefined
    default:
      return assertNever(role)
  }
}

/** The library's own rule (LongTimerTask), from the same time: the timestamp of the turn. */
function timerUntil(finalMs: number, timestampMs: number, roleOfLast: 'plain' | 'step'): Unnumbered {
  if (finalMs - timestampMs > SHORT_TIMER_MS_MAX) {
    return { kind: 'timer', fireAtMs: timestampMs + LONG_TIMER_STEP_MS, role: { kind: 'step', finalMs } }
  }
  const role: TimerRole = roleOfLast === 'plain' ? { kind: 'plain' } : { kind: 'step', finalMs }
  return { kind: 'timer', fireAtMs: finalMs, role }
}

/** Numbers the new actions (N1) and finds cancelled timers, which show up as a change of an old action. */
export function takeActions(
  before: Numbering,
  actions: readonly OrchestratorAction[],
  { timestampMs, newRequestId }: { timestampMs: number; newRequestId: () => string },
): ActionsTaken {
  const open = new Map(before.open)
  const scheduled: OpenTask[] = []
  const sent: SentEvent[] = []
  const canceledLeaves = new Set<number>()
  const seen = new Set<OrchestratorAction>()
  let { nextNumber } = before
  let leaf = 0
  let fault: string | undefined

  const visit = (action: OrchestratorAction, isNew: boolean): void => {
    if (seen.has(action)) fault ??= TASK_SCHEDULED_TWICE
    seen.add(action)
    if (action.compoundActions) {
      for (const part of action.compoundActions) visit(part, isNew)
      return
    }
    const at = leaf++
    if (action.isCanceled === true) canceledLeaves.add(at)
    if (!isNew || takesNoNumber(action)) return
    fault ??= refusalOf(action)
    const taskNumber = nextNumber++
    const message = toSentEvent(action, taskNumber, newRequestId)
    if (message) sent.push(message)
    const task = message ? undefined : toTask(action, timestampMs)
    if (task) scheduled.push({ ...task, taskNumber, leaf: at })
  }
  actions.forEach((action, i) => visit(action, i >= before.actionCount))

  for (const task of scheduled) open.set(task.taskNumber, task)
  const canceled = [...open.values()]
    .filter((task) => task.kind === 'timer' && canceledLeaves.has(task.leaf))
    .map(({ taskNumber }) => taskNumber)
  for (const taskNumber of canceled) open.delete(taskNumber)
  const numbering = { nextNumber, actionCount: actions.length, leafCount: leaf, open }
  return { numbering, scheduled, sent, canceled, fault }
}

const TASK_SCHEDULED_TWICE =
  'A task was given to Task.any or Task.all again after it had been scheduled. The library then schedules it a second ' +
  'time and later results end up at the wrong tasks. Yield the task by itself, or combine each task only once.'

function refusalOf({ retryOptions, actionType, httpRequest }: OrchestratorAction): string | undefined {
  if (retryOptions?.retryTimeoutInMilliseconds !== undefined) {
    return 'retryTimeoutInMilliseconds makes an orchestration hang for ever when it runs out; bound the attempts instead.'
  }
  if (httpRequest?.tokenSource) return 'callHttp with a token source is not supported by the local host.'
  const known: readonly number[] = Object.values(ActionType)
  return known.includes(actionType) ? undefined : `The local host does not know actions of type ${actionType}.`
}

function takesNoNumber({ actionType }: OrchestratorAction): boolean {
  return actionType === ActionType.waitForExternalEvent || actionType === ActionType.continueAsNew
}

function toSentEvent(action: OrchestratorAction, taskNumber: number, newId: () => string): SentEvent | undefined {
  const isCall = action.actionType === ActionType.callEntity
  if (!isCall && action.actionType !== ActionType.signalEntity) return undefined
  return {
    taskNumber,
    entityId: action.instanceId ?? '',
    operation: action.operation ?? '',
    input: action.input === undefined ? undefined : JSON.stringify(action.input),
    requestId: isCall ? newId() : undefined,
  }
}

function toTask(action: OrchestratorAction, timestampMs: number): Unnumbered | undefined {
  const name = action.functionName ?? ''
  const retry = action.retryOptions && { attempt: 1, options: action.retryOptions }
  switch (action.actionType) {
    case ActionType.callActivity:
    case ActionType.callActivityWithRetry:
      return { kind: 'call', call: { kind: 'activity', name, input: activityInput(action.input) }, retry }
    case ActionType.callSubOrchestrator:
    case ActionType.callSubOrchestratorWithRetry: {
      const input = JSON.stringify(action.input ?? null)
      return { kind: 'call', call: { kind: 'child', name, input, instanceId: action.instanceId }, retry }
    }
    case ActionType.createTimer:
      return timerUntil(new Date(action.fireAt ?? NaN).getTime(), timestampMs, 'plain')
    case ActionType.callHttp:
      return action.httpRequest && { kind: 'http', request: action.httpRequest }
    default:
      return undefined
  }
}

/** Activity inputs that are strings come already encoded; the worker decodes them once, so they stay as they are. */
function activityInput(input: unknown): string {
  return typeof input === 'string' ? input : JSON.stringify(input ?? null)
}
