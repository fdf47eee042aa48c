import { assert } from '../base/assert'

/** What is shown of a checklist while it runs and after. Times are Unix milliseconds of the orchestration's clock. */
export interface ChecklistStatus {
  readonly state: ChecklistState
  readonly steps: readonly StepStatus[]
  /** What the steps said that others may know: ids, addresses. */
  readonly facts: Readonly<Record<string, string>>
}

export type ChecklistState =
  | 'running'
  | 'waiting-for-approval'
  | 'completed'
  /** A step failed for good and everything before it was undone. */
  | 'undone'
  /** A step failed for good, and something is left: an undo failed too, or nothing may be undone. */
  | 'failed'

export interface StepStatus {
  readonly id: string
  readonly state: 'pending' | 'running' | 'waiting' | 'done' | 'skipped' | 'failed' | 'undone' | 'undo-failed'
  readonly attempts: number
  readonly startedAt?: number
  readonly endedAt?: number
  readonly error?: StepFault
}

/** What went wrong, in words for an operator: never a secret, never content. */
export interface StepFault {
  readonly code: string
  readonly detail: string
}

export const newChecklistStatus = (ids: readonly string[]): ChecklistStatus => ({
  state: 'running',
  steps: ids.map((id) => ({ id, state: 'pending', attempts: 0 })),
  facts: {},
})

/** The status with one step changed. */
export function withStep(status: ChecklistStatus, id: string, change: Partial<StepStatus>): ChecklistStatus {
  assert(
    status.steps.some((step) => step.id === id),
    `there is no step ${id}`,
  )
  return { ...status, steps: status.steps.map((step) => (step.id === id ? { ...step, ...change } : step)) }
}

/** As the API shows it, with times in ISO 8601. */
export function checklistView({ state, steps, facts }: ChecklistStatus) {
  return {
    state,
    steps: steps.map(({ startedAt, endedAt, ...step }) => ({
      ...step,
      ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
      ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }),
    })),
    facts,
  }
}

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
