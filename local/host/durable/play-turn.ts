import type { DurableFunctions } from './functions'
import { openingEvents } from './history'
import { type ActionsTaken, hasOpenTasks, type Numbering, takeActions, takeEvents } from './numbering'
import type { InstanceRecord } from './records'
import { type Outcome, runOrchestrator } from './run-orchestrator'
import type { Turn, TurnEvent } from './turn'

/** Runs the orchestrator once and works out what that turn changes; changes nothing itself. */
export async function playTurn(
  functions: DurableFunctions,
  instance: {
    readonly record: InstanceRecord
    readonly input: string
    /** JSON texts of the events of earlier turns. */
    readonly history: readonly string[]
    readonly numbering: Numbering
  },
  step: { readonly events: readonly TurnEvent[]; readonly timestampMs: number; readonly newRequestId: () => string },
): Promise<{ turn: Turn; outcome: Outcome; customStatus: string | undefined }> {
  const { record, input, history, numbering } = instance
  const { events, timestampMs } = step
  const opening = openingEvents({ events, timestampMs }, { name: record.name, input }, false)
  const answer = await runOrchestrator(functions, {
    name: record.name,
    instanceId: record.instanceId,
    parentInstanceId: record.parent?.instanceId,
    input,
    history: [...history, ...opening.map((event) => JSON.stringify(event))],
  })
  const inner = takeEvents(numbering, events, timestampMs)
  const actions = takeActions(inner.numbering, answer.actions, step)
  const isFault = actions.fault !== undefined
  const turn: Turn = {
    generation: record.generation,
    turn: record.turns,
    timestampMs,
    events,
    // Of a turn that went wrong nothing is set off: its numbers cannot be trusted.
    scheduled: isFault ? [] : [...inner.scheduled, ...actions.scheduled],
    sent: isFault ? [] : actions.sent,
    canceled: isFault ? [] : actions.canceled,
    nextNumber: actions.numbering.nextNumber,
    actionCount: actions.numbering.actionCount,
    leafCount: actions.numbering.leafCount,
  }
  return { turn, outcome: decide(answer.outcome, actions), customStatus: answer.customStatus }
}

/** Finished is only what has nothing open: DurableTask waits for activities, children and timers that still run. */
function decide(outcome: Outcome, { numbering, fault }: ActionsTaken): Outcome {
  if (fault !== undefined) return { kind: 'failed', message: fault }
  return hasOpenTasks(numbering) ? { kind: 'waiting' } : outcome
}
