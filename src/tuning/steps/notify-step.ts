import { done } from '../../checklists/checklist'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type TuningDeps, type TuningStep } from '../tuning-deps'
import { operationOf } from '../tuning-job'
import { onJob } from '../tuning-run'

/** Tells its tenant's contacts how it ended: a training goes on for hours, and nobody watches it. */
export const notifyStep = (deps: TuningDeps): TuningStep => ({
  id: 'notify',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onJob(deps, async ({ scope, id, job }) => {
    const { status, fault } = job
    await deps.alerts.raiseOnce({
      id: `tuning/${operationOf(job)}`,
      kind: 'tuning-ended',
      severity: status === 'failed' ? 'warning' : 'notice',
      tenantId: scope.tenantId,
      title: `Fine-tuning job ${id} ${status === 'cancelled' ? 'was cancelled' : status}`,
      // No words of the tenant's: alerts are not sealed.
      detail: status === 'failed' && fault ? `${fault.code}. ${fault.next}` : `The job is ${status}.`,
      audience: 'tenant',
    })
    return done()
  }),
})
