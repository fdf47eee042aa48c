import type { Numbering } from './numbering'
import type { InstanceRecord, Message, StoredMessage } from './records'
import type { TurnEvent } from './turn'

/** Something that has come for an orchestration: stored messages, and timers, which need no storing. */
export type Incoming =
  | StoredMessage
  | { readonly key: undefined; readonly timer: { readonly taskNumber: number; readonly fireAtMs: number } }

export type ControlMessage = Extract<Message, { kind: 'suspend' | 'resume' | 'terminate' }>

/** Messages that change the orchestration itself; they are obeyed before anything else is taken. */
export function controlOf(incoming: Incoming): { key: string; message: ControlMessage } | undefined {
  if (incoming.key === undefined) return undefined
  const { key, message } = incoming
  const isControl = message.kind === 'suspend' || message.kind === 'resume' || message.kind === 'terminate'
  return isControl ? { key, message } : undefined
}

/**
 * The events that incoming messages become. What was meant for an earlier execution or life becomes none, and neither
 * does the repeat of a result that was taken before: its number is not open any more.
 */
export function eventsOf(record: InstanceRecord, numbering: Numbering, taken: readonly Incoming[]): TurnEvent[] {
  const open = new Set(numbering.open.keys())
  return taken.flatMap((incoming) => {
    const event = toEvent(record, numbering, incoming)
    if (!event || ('taskNumber' in event && !open.delete(event.taskNumber))) return []
    return event
  })
}

/** The open tasks whose results have come and are only not yet taken. */
export function answeredNumbers(record: InstanceRecord, numbering: Numbering, mailbox: readonly Incoming[]) {
  const events = eventsOf(record, numbering, mailbox)
  return new Set(events.flatMap((event) => ('taskNumber' in event ? event.taskNumber : [])))
}

function toEvent(record: InstanceRecord, numbering: Numbering, incoming: Incoming): TurnEvent | undefined {
  if (incoming.key === undefined) return { kind: 'timer-fired', ...incoming.timer }
  const { message } = incoming
  switch (message.kind) {
    case 'event': {
      const { name, input, lifeId } = message
      return lifeId === record.lifeId ? { kind: 'event-raised', name, input } : undefined
    }
    case 'answer': {
      const { requestId, input, executionId } = message
      return executionId === record.executionId ? { kind: 'event-raised', name: requestId, input } : undefined
    }
    case 'task-result':
      return message.executionId === record.executionId ? resultEvent(numbering, message) : undefined
    default:
      return undefined
  }
}

function resultEvent(
  { open }: Numbering,
  { taskNumber, outcome }: Extract<Message, { kind: 'task-result' }>,
): TurnEvent | undefined {
  const task = open.get(taskNumber)
  if (!task || task.kind === 'timer') return undefined
  const prefix = task.kind === 'call' && task.call.kind === 'child' ? 'child' : 'task'
  if (outcome.kind === 'completed') return { kind: `${prefix}-completed`, taskNumber, result: outcome.result }
  return { kind: `${prefix}-failed`, taskNumber, reason: outcome.reason, details: outcome.details }
}
