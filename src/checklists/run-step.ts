import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { ProblemError } from '../base/problem'
import { done, type Checklist, type Decision, type StepHost, type StepOutcome } from './checklist'
import type { StepFault } from './checklist-status'
import type { ChecklistPlan } from './run-checklist'

/** What the orchestrator asks of the activity. */
export interface StepRequest {
  readonly operationId: string
  readonly tenantId: TenantId
  readonly input: unknown
  readonly step: string
  readonly act: 'do' | 'undo'
  /** Unix milliseconds. */
  readonly stepStartedAt: number
  readonly decision?: Decision | undefined
  /** This undo is not tried again when it fails. */
  readonly isLast?: boolean | undefined
}

/** What the activity answers; it never throws, so that no failure waits for the host's own retries. */
export type StepReport =
  | Exclude<StepOutcome, { kind: 'failed' }>
  | { readonly kind: 'skipped' }
  /** For good. */
  | { readonly kind: 'failed'; readonly fault: StepFault }
  /** Worth another attempt. */
  | { readonly kind: 'threw'; readonly fault: StepFault }

export interface StepAlert {
  readonly checklist: string
  readonly operationId: string
  readonly tenantId: TenantId
  readonly step: string
  readonly fault: StepFault
}

/** The checklist without its work, for the orchestrator. */
export const planOf = <Input>({ name, onFailure, steps }: Checklist<Input>): ChecklistPlan => ({
  name,
  onFailure,
  steps: steps.map(({ id, timeoutMs, attemptsMax, undo }) => ({ id, timeoutMs, attemptsMax, canUndo: !!undo })),
})

/** The activity of a checklist: one step, done or undone. `alert` is told of an undo that failed for good. */
export function createRunStep<Input>(
  checklist: Checklist<Input>,
  { log, alert }: { log: Log; alert: (alert: StepAlert) => Promise<void> },
): (request: StepRequest, host: StepHost) => Promise<StepReport> {
  return async ({ step: stepId, act, decision, isLast, ...given }, host) => {
    const { operationId, tenantId, stepStartedAt } = given
    const step = checklist.steps.find(({ id }) => id === stepId)
    if (!step) return failed({ code: 'unknown_step', detail: `This release has no step "${stepId}".` })
    // The checklist's own input, which it was started with: parsed there, JSON since.
    const operation = { operationId, tenantId, stepStartedAt, input: given.input as Input }
    try {
      if (step.applies && !step.applies(operation.input)) return { kind: 'skipped' }
      if (act === 'do') return reportOf(await step.do({ ...operation, ...(decision ? { decision } : {}) }, host))
      const undone = (await step.undo?.(operation)) ?? done()
      if (undone.kind === 'not-yet' && isLast)
        await alert({ checklist: checklist.name, operationId, tenantId, step: stepId, fault: undoNotEnded })
      return undone
    } catch (error) {
      const fault = faultOf(error)
      log.warn('a step of a checklist failed', {
        checklist: checklist.name,
        operationId,
        tenantId,
        step: stepId,
        act,
        error: describeError(error),
      })
      if (act === 'undo' && isLast)
        await alert({ checklist: checklist.name, operationId, tenantId, step: stepId, fault })
      return isFinal(error) && act === 'do' ? failed(fault) : { kind: 'threw', fault }
    }
  }
}

export const undoNotEnded: StepFault = { code: 'undo_failed', detail: 'The undo did not end in its time.' }

const failed = (fault: StepFault): StepReport => ({ kind: 'failed', fault })

const reportOf = (outcome: StepOutcome): StepReport =>
  outcome.kind === 'failed' ? failed({ code: outcome.problem.code, detail: outcome.problem.public }) : outcome

const isFinal = (error: unknown) => error instanceof ProblemError && !error.problem.entry.retryable

/** Only what a `Problem` says may be shown; what else was thrown is in the log. */
function faultOf(error: unknown): StepFault {
  if (error instanceof ProblemError) return { code: error.problem.code, detail: error.problem.public }
  return { code: 'internal_error', detail: 'The step failed; the log has the reason under the operation’s id.' }
}
