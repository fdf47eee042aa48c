import type { TuningDeps } from './tuning-deps'
import { markOf } from './tuning-job'
import type { TuningRun } from './tuning-run'

/**
 * The account is to train no more for the job: true once nothing of it runs there. A job that was asked for and is not found will
 * not come any more, since a look for it went on for as long as a request lives (`createStep`).
 */
export async function callOff(
  { accounts, log }: Pick<TuningDeps, 'accounts' | 'log'>,
  { job }: Pick<TuningRun, 'job'>,
): Promise<boolean> {
  const { account: at, sending } = job
  if (!at || sending?.askedAt === undefined) return true
  const found =
    sending.jobId === undefined
      ? await accounts.find(at.account, markOf(job))
      : await accounts.get(at.account, sending.jobId)
  if (found.kind === 'missing') return true
  if (found.kind !== 'answer') return false
  const { id, status } = found.value
  if (status === 'succeeded' || status === 'failed' || status === 'cancelled') return true
  const asked = await accounts.act(at.account, id, 'cancel')
  if (asked.kind === 'refused') log.warn('a training could not be cancelled', { jobId: job.id, code: asked.code })
  return false
}
