import { app, input } from 'durable-functions'
import type { Checklist, StepHost } from '../../checklists/checklist'
import { runChecklist, type ChecklistInput } from '../../checklists/run-checklist'
import { planOf, type StepReport, type StepRequest } from '../../checklists/run-step'
import { durableOrchestrations } from './durable-orchestrations'
import { orchestrationHandler } from './durable-functions-steps'

/** A checklist with the activity that does its steps, of any kind of input. */
export interface RegisteredChecklist {
  // Steps take their own checklist's input; here it only passes through.
  readonly checklist: Checklist<never>
  readonly runStep: (request: StepRequest, host: StepHost) => Promise<StepReport>
}

/** Registers each checklist as an orchestration of its name and an activity `{name}-step`. */
export function registerChecklists(checklists: readonly RegisteredChecklist[]): void {
  for (const { checklist, runStep } of checklists) {
    const plan = planOf(checklist)
    app.orchestration(
      checklist.name,
      orchestrationHandler<ChecklistInput, unknown>((steps, started) => runChecklist(steps, plan, started)),
    )
    app.activity(`${checklist.name}-step`, {
      extraInputs: [input.durableClient()],
      handler: (request: StepRequest, context) => runStep(request, { orchestrations: durableOrchestrations(context) }),
    })
  }
}
