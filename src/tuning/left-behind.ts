import type { TuningDeps } from './tuning-deps'
import { operationOf } from './tuning-job'
import type { TuningRun } from './tuning-run'

const DAY_MS = 24 * 3_600_000
/** So long an account is asked to give back what is a job's; outages are over by then, and tenants are not kept waiting for more. */
const PATIENCE_MS = 3 * DAY_MS

/**
 * True once nobody waits any longer for an account that does not give back what is a job's: then an operator has been told what is
 * left there, and the job comes to its end.
 */
export async function isLeftBehind(
  { alerts, clock }: Pick<TuningDeps, 'alerts' | 'clock'>,
  { scope, job, stepStartedAt }: Pick<TuningRun, 'scope' | 'job' | 'stepStartedAt'>,
  what: 'training' | 'model' | 'files',
): Promise<boolean> {
  if (clock.now() - stepStartedAt <= PATIENCE_MS) return false
  const where = job.account?.resourceId ?? 'its model account'
  await alerts.raiseOnce({
    id: `tuning-left/${operationOf(job)}/${what}`,
    kind: 'tuning-left-behind',
    severity: 'warning',
    tenantId: scope.tenantId,
    title: `A ${what === 'files' ? 'file' : what} of ${job.id} may be left at its model account`,
    detail: `${where} did not say for ${PATIENCE_MS / DAY_MS} days that it is gone. Its things are marked with the job’s id; delete them there.`,
  })
  return true
}
