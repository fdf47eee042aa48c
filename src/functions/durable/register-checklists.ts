import { app } from 'durable-functions'
import type { Checklist } from '../../checklists/checklist'
import { runChecklist, type ChecklistInput } from '../../checklists/run-checklist'
import { planOf, type StepReport, type StepRequest } from '../../checklists/run-step'
import { orchestrationHandler } from './durable-functions-steps'

/** A checklist with the activity that does its steps, of any kind of input. */
export interface RegisteredChecklist {
  // Steps take their own checklist's input; here it only passes through.
  readonly checklist: Checklist<never>
  readonly runStep: (request: StepRequest) => Promise<StepReport>
}

/** Registers each checklist as an orchestration of its name and an activity `{name}-step`. */
export function registerChecklists(checklists: readonly RegisteredChecklist[]): void {
  for (const { checklist, runStep } of checklists) {
    const plan = planOf(checklist)
    app.orchestration(
      checklist.name,
      orchestrationHandler<ChecklistInput, unknown>((steps, input) => runChecklist(steps, plan, input)),
    )
    app.activity(`${checklist.name}-step`, { handler: (request: StepRequest) => runStep(request) })
  }
}
