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

export const lostFault: TuningFault = {
  code: 'job_lost',
  message: 'The model account has lost the job.',
  param: null,
  next: 'Retry the job: it is trained again from the beginning.',
}
