import type { AccountJob } from './account-job'
import { inOurWords, type Words } from './tuning-events'
import type { TuningFault } from './tuning-job'

const MEND = 'Mend the file, upload it again and make a new job.'
const RETRY = 'Retry the job; if it fails again, ask the operators.'

/** What its owner can do, by what the provider's codes speak of: there is no list of them (azure-facts 3.2, 3.3). */
export function nextAfter(code: string): string {
  if (/content|policy|safety|filter|moderation/i.test(code))
    return 'Take out what the provider’s content policy does not allow, upload the file again and make a new job.'
  if (/valid|jsonl|format|file|example|token/i.test(code)) return MEND
  if (/quota|limit|capacity|exceeded/i.test(code)) return 'Retry the job later, or ask the operators for more quota.'
  return RETRY
}

export function upstreamFault(error: AccountJob['error'], words: Words): TuningFault {
  if (!error) return { code: 'training_failed', message: 'The model account ended the job.', param: null, next: RETRY }
  const { code, message, param } = error
  const said = inOurWords(message, words) || 'The model account ended the job.'
  return { code, message: said, param, next: nextAfter(`${code} ${param ?? ''}`) }
}

const DAY_MS = 24 * 3_600_000
/** Longer than outages last; the account's answer is waited for until then. */
export const SILENT_MS_MAX = 3 * DAY_MS

export const silentFault: TuningFault = {
  code: 'account_unreachable',
  message: `The model account has not answered for ${SILENT_MS_MAX / DAY_MS} days.`,
  param: null,
  next: RETRY,
}

export const lostFault: TuningFault = {
  code: 'job_lost',
  message: 'The model account has lost the job.',
  param: null,
  next: 'Retry the job: it is trained again from the beginning.',
}
