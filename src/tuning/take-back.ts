import type { AccountJob } from './account-job'
import type { Answer } from './account-tuning'
import type { TuningDeps } from './tuning-deps'
import { markOf, type TuningJob } from './tuning-job'
import type { TuningRun } from './tuning-run'

/**
 * The account is to train no more for the job: true once nothing of it runs there. A job that was asked for and is not found will
 * not come any more, since a look for it went on for as long as a request lives (`createStep`).
 */
export async function callOff(
  { accounts, log }: Pick<TuningDeps, 'accounts' | 'log'>,
  { job }: Pick<TuningRun, 'job'>,
): Promise<boolean> {
  const found = await jobThere(accounts, job)
  if (found.kind === 'missing') return true
  if (found.kind !== 'answer' || !job.account) return false
  const { id, status } = found.value
  if (status === 'succeeded' || status === 'failed' || status === 'cancelled') return true
  const asked = await accounts.act(job.account.account, id, 'cancel')
  if (asked.kind === 'refused') log.warn('a training could not be cancelled', { jobId: job.id, code: asked.code })
  return false
}

/**
 * Takes what the account has made for the job away there: its model and its checkpoints, those that came since it was last looked
 * at too. True once they are gone, or the account said for good that it keeps them.
 */
export async function removeMade(
  { accounts, events, log }: Pick<TuningDeps, 'accounts' | 'events' | 'log'>,
  { scope, id, job }: Pick<TuningRun, 'scope' | 'id' | 'job'>,
): Promise<boolean> {
  if (!job.account) return true
  const { account } = job.account
  const found = await jobThere(accounts, job)
  if (isUnsure(found)) return false
  const names = new Set((await events.checkpoints(scope, id)).map(({ model }) => model))
  if (job.seen?.model !== undefined) names.add(job.seen.model)
  if (found.kind === 'answer') {
    if (found.value.model !== undefined) names.add(found.value.model)
    const shown = await accounts.checkpoints(account, found.value.id)
    if (isUnsure(shown)) return false
    if (shown.kind === 'answer') for (const { model } of shown.value) names.add(model)
  }
  for (const name of names) {
    const removed = await accounts.removeModel(account, name)
    if (isUnsure(removed)) return false
    // What it will not delete an operator finds in the log; asking again would not help.
    if (removed.kind === 'refused') log.error('an account keeps a model', { jobId: id, code: removed.code })
  }
  return true
}

const isUnsure = ({ kind }: Answer<unknown>): boolean => kind === 'unsure' || kind === 'full'

/** The account's job, where it was asked for one: by its id, or by our mark where the answer was lost. */
async function jobThere(
  accounts: TuningDeps['accounts'],
  { account, sending, ...job }: TuningJob,
): Promise<Answer<AccountJob>> {
  if (!account || sending?.askedAt === undefined) return { kind: 'missing' }
  return sending.jobId === undefined
    ? accounts.find(account.account, markOf(job))
    : accounts.get(account.account, sending.jobId)
}
