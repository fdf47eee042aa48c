import { type InstanceRecord, type Outgoing, sequenceOf, type TaskOutcome } from './records'
import type { SentEvent, Turn } from './turn'

/** What a turn has to tell other instances: children to start, operations for entities. In the order of its actions. */
export function outgoingOf(record: InstanceRecord, { scheduled, sent }: Turn): Outgoing[] {
  const starts = scheduled.flatMap((task): Outgoing[] => {
    if (task.kind !== 'call' || task.call.kind !== 'child') return []
    const { name, input, instanceId } = task.call
    const { taskNumber } = task
    const parent = { instanceId: record.instanceId, executionId: record.executionId, taskNumber }
    return [{ kind: 'start', instanceId: instanceId ?? `${record.executionId}:${taskNumber}`, name, input, parent }]
  })
  return [...starts, ...sent.map((event, index) => operationMessage(record, event, index))]
}

function operationMessage(record: InstanceRecord, event: SentEvent, index: number): Outgoing {
  const { instanceId, executionId, generation, turns } = record
  const { entityId, operation, input, requestId } = event
  return {
    kind: 'message',
    instanceId: entityId,
    message: {
      kind: 'operation',
      name: operation,
      input,
      replyTo: requestId === undefined ? undefined : { instanceId, executionId, requestId },
      sender: { id: executionId, sequence: sequenceOf(generation, turns, index) },
    },
  }
}

/** The answer to whoever waits for this instance; nobody may. */
export function parentMessage({ parent }: Pick<InstanceRecord, 'parent'>, outcome: TaskOutcome): Outgoing[] {
  if (!parent) return []
  const { instanceId, executionId, taskNumber } = parent
  return [{ kind: 'message', instanceId, message: { kind: 'task-result', executionId, taskNumber, outcome } }]
}
