import {
  NO_NUMBERS,
  type Numbering,
  replayTurn,
  retryDelayMs,
  takeActions,
  takeEvents,
} from '../../../local/host/durable/numbering'
import { ActionType, type OrchestratorAction } from '../../../local/host/durable/protocol'
import type { OpenTask, TurnEvent } from '../../../local/host/durable/turn'

const START_MS = Date.UTC(2026, 0, 1)
const DAY_MS = 24 * 3_600_000
const activity = (functionName: string): OrchestratorAction => ({ actionType: ActionType.callActivity, functionName })
const retried = (maxNumberOfAttempts: number): OrchestratorAction => ({
  actionType: ActionType.callActivityWithRetry,
  functionName: 'flaky',
  retryOptions: { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts },
})
const timer = (ms: number, isCanceled = false): OrchestratorAction => ({
  actionType: ActionType.createTimer,
  fireAt: new Date(START_MS + ms),
  isCanceled,
})
const failed = (taskNumber: number): TurnEvent => ({ kind: 'task-failed', taskNumber, reason: '', details: '' })
const fired = (taskNumber: number): TurnEvent => ({ kind: 'timer-fired', taskNumber, fireAtMs: START_MS })
const take = (before: Numbering, actions: readonly OrchestratorAction[], timestampMs = START_MS) =>
  takeActions(before, actions, { timestampMs, newRequestId: () => 'request' })
const numbersOf = (tasks: readonly OpenTask[]) => tasks.map(({ taskNumber }) => taskNumber)

describe('numbers', () => {
  it('go to the leaves of compound actions depth first, and not to waits for events', () => {
    const wait: OrchestratorAction = { actionType: ActionType.waitForExternalEvent }
    const all: OrchestratorAction = {
      actionType: ActionType.whenAll,
      compoundActions: [activity('b'), wait, activity('c')],
    }
    const any: OrchestratorAction = { actionType: ActionType.whenAny, compoundActions: [all, activity('d')] }
    const taken = take(NO_NUMBERS, [activity('a'), any])

    expect(taken.scheduled.map((task) => [task.taskNumber, task.leaf])).toEqual([[0, 0], [1, 1], [2, 3], [3, 4]]) // prettier-ignore
    expect(taken.numbering.nextNumber).toBe(4)
  })

  it('go only to actions that the turn has added', () => {
    const actions = [activity('a'), activity('b')]
    const first = take(NO_NUMBERS, actions)

    expect(numbersOf(take(first.numbering, [...actions, activity('c')]).scheduled)).toEqual([2])
  })

  it('go to signals and entity calls as well, which leave nothing open', () => {
    const signal: OrchestratorAction = {
      actionType: ActionType.signalEntity,
      instanceId: '@e@k',
      operation: 'add',
      input: 1,
    }
    const call: OrchestratorAction = { ...signal, actionType: ActionType.callEntity }
    const taken = take(NO_NUMBERS, [signal, call, activity('a')])

    expect(taken.sent.map(({ taskNumber, requestId }) => [taskNumber, requestId])).toEqual([
      [0, undefined],
      [1, 'request'],
    ])
    expect(numbersOf(taken.scheduled)).toEqual([2])
    expect([...taken.numbering.open.keys()]).toEqual([2])
  })

  it('of a retried call: one for each pause and each try, and one for a last pause that only then fails it', () => {
    let { numbering } = take(NO_NUMBERS, [retried(2)])
    const seen: OpenTask[] = []
    for (const event of [failed(0), fired(1), failed(2), fired(3)]) {
      const taken = takeEvents(numbering, [event], START_MS)
      seen.push(...taken.scheduled)
      ;({ numbering } = taken)
    }

    expect(seen.map((task) => [task.taskNumber, task.kind === 'timer' ? task.role.kind : task.kind])).toEqual([
      [1, 'retry'],
      [2, 'call'],
      [3, 'exhausted'],
    ])
    expect(numbering.open.size).toBe(0)
  })

  it('of a long timer: one for each step of three days until six or less are left', () => {
    let { numbering, scheduled } = take(NO_NUMBERS, [timer(10 * DAY_MS)])
    const dueDays: number[] = []
    for (let task = scheduled[0]; task?.kind === 'timer'; task = scheduled[0]) {
      dueDays.push((task.fireAtMs - START_MS) / DAY_MS)
      ;({ numbering, scheduled } = takeEvents(numbering, [fired(task.taskNumber)], task.fireAtMs))
    }

    expect(dueDays).toEqual([3, 6, 10])
    expect(numbering.nextNumber).toBe(3)
  })

  it('of cancelled timers are found again by their place in the list, also within compound actions', () => {
    const waiting = (isCanceled: boolean): OrchestratorAction[] => [
      activity('a'),
      { actionType: ActionType.whenAny, compoundActions: [activity('b'), timer(1_000, isCanceled)] },
    ]
    const first = take(NO_NUMBERS, waiting(false))
    const second = take(first.numbering, [...waiting(true), activity('c')])

    expect(second.canceled).toEqual([2])
    expect([...second.numbering.open.keys()]).toEqual([0, 1, 3])
  })

  it('are the same when they are read from stored turns as when they were given', () => {
    const first = take(NO_NUMBERS, [retried(3), activity('a')])
    const stored = {
      generation: 0,
      turn: 0,
      timestampMs: START_MS,
      events: [],
      scheduled: first.scheduled,
      sent: [],
      canceled: [],
      nextNumber: first.numbering.nextNumber,
      actionCount: 2,
      leafCount: 2,
    }

    expect(replayTurn(NO_NUMBERS, stored)).toEqual(first.numbering)
  })
})

describe('the pause before a retry', () => {
  it.each([
    [1, 100],
    [2, 300],
    [3, 500],
  ])('after failure %i is %i ms: it grows by the coefficient up to the maximum', (attempt, delayMs) => {
    const options = {
      firstRetryIntervalInMilliseconds: 100,
      maxNumberOfAttempts: 9,
      backoffCoefficient: 3,
      maxRetryIntervalInMilliseconds: 500,
    }
    expect(retryDelayMs({ attempt, options })).toBe(delayMs)
  })
})
