import { assertNever } from '../assert-never'
import { EventType } from './protocol'
import type { OpenTask, SentEvent, Turn, TurnEvent } from './turn'

/** An event as the library reads it. Every one has these; the rest depends on the type. */
export interface HistoryEvent {
  readonly EventType: number
  readonly EventId: number
  readonly IsPlayed: boolean
  readonly Timestamp: string
  readonly [field: string]: unknown
}

interface Start {
  readonly name: string
  /** JSON text. */
  readonly input: string
}

/**
 * The events of a turn before the orchestrator runs. Each turn opens with OrchestratorStarted, since the library
 * takes its time from it and decides by the last one whether it is replaying.
 */
export function openingEvents(
  { events, timestampMs }: Pick<Turn, 'events' | 'timestampMs'>,
  start: Start,
  isPlayed: boolean,
): HistoryEvent[] {
  const base = { EventId: -1, IsPlayed: isPlayed, Timestamp: new Date(timestampMs).toISOString() }
  return [
    { ...base, EventType: EventType.orchestratorStarted },
    ...events.map((event) => ({ ...base, ...eventFields(event, start) })),
  ]
}

/** What the turn led to. The library reads only EventSent, by which it learns what an entity's answer will be called. */
export function closingEvents({ scheduled, sent, timestampMs }: Turn): HistoryEvent[] {
  const base = { EventId: -1, IsPlayed: true, Timestamp: new Date(timestampMs).toISOString() }
  return [
    ...scheduled.map((task) => ({ ...base, ...scheduledFields(task) })),
    ...sent.map((event) => ({ ...base, ...sentFields(event) })),
    { ...base, EventType: EventType.orchestratorCompleted },
  ]
}

function eventFields(event: TurnEvent, { name, input }: Start) {
  switch (event.kind) {
    case 'execution-started':
      return { EventType: EventType.executionStarted, Name: name, Input: input }
    case 'task-completed':
      return { EventType: EventType.taskCompleted, TaskScheduledId: event.taskNumber, Result: event.result }
    case 'child-completed':
      return { EventType: EventType.childCompleted, TaskScheduledId: event.taskNumber, Result: event.result }
    case 'task-failed':
      return { EventType: EventType.taskFailed, ...failureFields(event) }
    case 'child-failed':
      return { EventType: EventType.childFailed, ...failureFields(event) }
    case 'timer-fired': {
      const FireAt = new Date(event.fireAtMs).toISOString()
      return { EventType: EventType.timerFired, TimerId: event.taskNumber, FireAt }
    }
    case 'event-raised':
      return { EventType: EventType.eventRaised, Name: event.name, Input: event.input }
    default:
      return assertNever(event)
  }
}

/** Both texts must be there: the library throws on a failure without them. */
function failureFields({ taskNumber, reason, details }: { taskNumber: number; reason: string; details: string }) {
  return { TaskScheduledId: taskNumber, Reason: reason, Details: details }
}

function scheduledFields(task: OpenTask) {
  const EventId = task.taskNumber
  switch (task.kind) {
    case 'timer':
      return { EventType: EventType.timerCreated, EventId, FireAt: new Date(task.fireAtMs).toISOString() }
    case 'http':
      return { EventType: EventType.taskScheduled, EventId, Name: 'BuiltIn::HttpActivity' }
    case 'call': {
      const type = task.call.kind === 'activity' ? EventType.taskScheduled : EventType.childCreated
      return { EventType: type, EventId, Name: task.call.name }
    }
    default:
      return assertNever(task)
  }
}

function sentFields({ taskNumber, entityId, operation, input, requestId }: SentEvent) {
  const Input = JSON.stringify({ op: operation, id: requestId, input })
  return { EventType: EventType.eventSent, EventId: taskNumber, InstanceId: entityId, Name: 'op', Input }
}
