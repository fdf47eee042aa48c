import { assertNever } from '../assert-never'
import type { Partition, StoredInstance } from './hub-store'
import type { TurnEvent } from './turn'

export interface StatusOptions {
  readonly showInput: boolean
  readonly showHistory: boolean
  readonly showHistoryOutput: boolean
}

/** The status of an orchestration as the API gives it. The client library insists on `input` and `output`, if only null. */
export function statusJson(
  { record, input, turns }: StoredInstance & Partial<Partition>,
  { showInput, showHistory, showHistoryOutput }: StatusOptions,
) {
  return {
    name: record.name,
    instanceId: record.instanceId,
    runtimeStatus: record.status,
    input: showInput ? parse(input) : null,
    customStatus: parse(record.customStatus),
    output: parse(record.output),
    createdTime: new Date(record.createdMs).toISOString(),
    lastUpdatedTime: new Date(record.updatedMs).toISOString(),
    ...(showHistory ? { historyEvents: historyJson({ record, turns: turns ?? [] }, showHistoryOutput) } : {}),
  }
}

function historyJson({ record, turns }: Pick<Partition, 'record' | 'turns'>, withOutput: boolean) {
  return turns.flatMap(({ timestampMs, events }) =>
    events.map((event) => ({
      ...eventJson(event, record.name, withOutput),
      Timestamp: new Date(timestampMs).toISOString(),
    })),
  )
}

function eventJson(event: TurnEvent, name: string, withOutput: boolean) {
  switch (event.kind) {
    case 'execution-started':
      return { EventType: 'ExecutionStarted', FunctionName: name }
    case 'task-completed':
    case 'child-completed': {
      const type = event.kind === 'task-completed' ? 'TaskCompleted' : 'SubOrchestrationInstanceCompleted'
      return {
        EventType: type,
        TaskScheduledId: event.taskNumber,
        ...(withOutput ? { Result: parse(event.result) } : {}),
      }
    }
    case 'task-failed':
    case 'child-failed': {
      const type = event.kind === 'task-failed' ? 'TaskFailed' : 'SubOrchestrationInstanceFailed'
      return { EventType: type, TaskScheduledId: event.taskNumber, Reason: event.reason }
    }
    case 'timer-fired':
      return { EventType: 'TimerFired', FireAt: new Date(event.fireAtMs).toISOString() }
    case 'event-raised':
      return { EventType: 'EventRaised', Name: event.name, ...(withOutput ? { Input: parse(event.input) } : {}) }
    default:
      return assertNever(event)
  }
}

function parse(text: string | undefined): unknown {
  return text === undefined ? null : JSON.parse(text)
}
