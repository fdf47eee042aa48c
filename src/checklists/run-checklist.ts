import { assertNever } from '../base/assert'
import type { DurableStep, DurableSteps } from '../base/durable-steps'
import type { TenantId } from '../base/ids'
import { decisionEvent, type Decision } from './checklist'
import { newChecklistStatus, withStep, type ChecklistStatus, type StepFault } from './checklist-status'
import { undoNotEnded, type StepReport } from './run-step'

/** What the orchestrator has to know of a checklist: enough to walk it, nothing that does I/O. */
export interface ChecklistPlan {
  readonly name: string
  readonly onFailure: 'undo' | 'stop'
  readonly steps: readonly StepPlan[]
}

export interface StepPlan {
  readonly id: string
  readonly timeoutMs: number
  readonly attemptsMax: number
  readonly canUndo: boolean
}

/** What one operation is started with. */
export interface ChecklistInput {
  readonly tenantId: TenantId
  readonly input: unknown
}

/** Pauses between attempts that threw: from the first, doubled up to the second. */
const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 30_000
/** An undo is tried this often before it is left to the operator. */
const UNDO_ATTEMPTS_MAX = 5

/** Walks a checklist; the status it ends with is also the orchestration's output. */
export function* runChecklist(
  steps: DurableSteps,
  plan: ChecklistPlan,
  { tenantId, input }: ChecklistInput,
): DurableStep<ChecklistStatus> {
  const walk: Walk = {
    steps,
    activity: `${plan.name}-step`,
    operation: { operationId: steps.instanceId, tenantId, input },
    status: newChecklistStatus(plan.steps.map(({ id }) => id)),
  }
  for (const [index, step] of plan.steps.entries()) {
    const fault = yield* doStep(walk, step)
    if (!fault) continue
    show(walk, step.id, { state: 'failed', endedAt: steps.now(), error: fault })
    if (plan.onFailure === 'stop') return end(walk, 'failed')
    const isClean = yield* undoAll(walk, plan.steps.slice(0, index + 1).toReversed())
    return end(walk, isClean ? 'undone' : 'failed')
  }
  return end(walk, 'completed')
}

interface Walk {
  readonly steps: DurableSteps
  readonly activity: string
  readonly operation: { readonly operationId: string; readonly tenantId: TenantId; readonly input: unknown }
  status: ChecklistStatus
}

function show(walk: Walk, id: string, change: Parameters<typeof withStep>[2]): void {
  walk.status = withStep(walk.status, id, change)
  walk.steps.setStatus(walk.status)
}

function end(walk: Walk, state: ChecklistStatus['state']): ChecklistStatus {
  walk.status = { ...walk.status, state }
  walk.steps.setStatus(walk.status)
  return walk.status
}

/** Undefined when the step is done or does not apply. */
function* doStep(walk: Walk, { id, timeoutMs, attemptsMax }: StepPlan): DurableStep<StepFault | undefined> {
  const { steps, activity, operation } = walk
  const startedAt = steps.now()
  let attempts = 0
  let failures = 0
  let decision: Decision | undefined
  for (;;) {
    attempts++
    show(walk, id, { state: 'running', attempts, startedAt })
    const report: StepReport = yield* steps.call<StepReport>(activity, {
      ...operation,
      step: id,
      act: 'do',
      stepStartedAt: startedAt,
      decision,
    })
    const isLate = steps.now() - startedAt > timeoutMs
    switch (report.kind) {
      case 'done':
        walk.status = { ...walk.status, facts: { ...walk.status.facts, ...report.facts } }
        show(walk, id, { state: 'done', endedAt: steps.now() })
        return undefined
      case 'skipped':
        show(walk, id, { state: 'skipped', attempts: 0, endedAt: steps.now() })
        return undefined
      case 'failed':
        return report.fault
      case 'threw':
        failures++
        if (failures >= attemptsMax || isLate) return report.fault
        show(walk, id, { error: report.fault })
        yield* steps.sleep(Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (failures - 1)))
        break
      case 'not-yet':
        if (isLate) return { code: 'step_timeout', detail: `The step was not done within ${timeoutMs / 1_000} s.` }
        show(walk, id, { state: 'waiting' })
        yield* steps.sleep(report.againAfterMs)
        break
      case 'needs-decision': {
        walk.status = { ...walk.status, state: 'waiting-for-approval' }
        show(walk, id, { state: 'waiting' })
        decision = yield* steps.event<Decision>(decisionEvent, report.timeoutMs)
        walk.status = { ...walk.status, state: 'running' }
        if (!decision) return { code: 'not_decided', detail: 'Nobody decided in time.' }
        break
      }
      default:
        return assertNever(report)
    }
  }
}

/** True when nothing is left of any step. A failed undo is kept on the record, and the rest is undone all the same. */
function* undoAll(walk: Walk, plans: readonly StepPlan[]): DurableStep<boolean> {
  let isClean = true
  for (const plan of plans) {
    const { id, canUndo } = plan
    const state = walk.status.steps.find((step) => step.id === id)?.state
    if (!canUndo || state === 'skipped') continue
    const fault = yield* undoStep(walk, plan)
    // The step that failed stays marked as such: its error is why all this happens.
    if (fault) show(walk, id, { state: 'undo-failed', error: fault })
    else if (state !== 'failed') show(walk, id, { state: 'undone' })
    isClean &&= !fault
  }
  return isClean
}

function* undoStep(
  { steps, activity, operation }: Walk,
  { id, timeoutMs }: StepPlan,
): DurableStep<StepFault | undefined> {
  const startedAt = steps.now()
  let failures = 0
  for (;;) {
    const isLate = steps.now() - startedAt > timeoutMs
    const isLast = isLate || failures >= UNDO_ATTEMPTS_MAX - 1
    const report: StepReport = yield* steps.call<StepReport>(activity, {
      ...operation,
      step: id,
      act: 'undo',
      stepStartedAt: startedAt,
      isLast,
    })
    if (report.kind === 'done') return undefined
    if (report.kind === 'not-yet' && !isLate) {
      yield* steps.sleep(report.againAfterMs)
      continue
    }
    if (report.kind === 'failed' || isLast) return 'fault' in report ? report.fault : undoNotEnded
    failures++
    yield* steps.sleep(Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** failures))
  }
}
