import type { InstanceRecord, TaskOutcome } from './records'
import type { Outcome } from './run-orchestrator'

/** The record of an orchestration that has come to its end, and what its parent is told, in the extension's words. */
export function finish(
  record: InstanceRecord,
  outcome: Extract<Outcome, { kind: 'completed' | 'failed' }>,
): { finished: InstanceRecord; answer: TaskOutcome } {
  if (outcome.kind === 'completed') {
    const { output } = outcome
    return { finished: { ...record, status: 'Completed', output }, answer: { kind: 'completed', result: output } }
  }
  const reason = `Orchestrator function '${record.name}' failed: ${outcome.message}`
  return {
    finished: { ...record, status: 'Failed', output: JSON.stringify(reason) },
    answer: { kind: 'failed', reason, details: `Message: ${outcome.message}, StackTrace: ` },
  }
}
