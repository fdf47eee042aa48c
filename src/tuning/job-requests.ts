/** What the owner of a job asks of it, as its record takes it: how the job goes on, or why not. Pure; its steps do what it says. */
import { Problem } from '../base/problem'
import type { Decision } from '../checklists/checklist'
import { become, ending, isOver, type TuningJob } from './tuning-job'

/** One of which no account has anything is over at once; what was made elsewhere is taken back first. */
export function calledOff(job: TuningJob, nowMs: number): TuningJob | Problem {
  if (isOver(job)) return new Problem('conflict', `A job that is ${job.status} cannot be cancelled.`)
  if (job.asked.cancelAt !== undefined) return job
  const asked = { ...job, asked: { cancelAt: nowMs } }
  const isNowhere = job.sending === undefined && job.account === undefined
  return isNowhere ? { ...become(ending(asked, 'cancelled'), 'cancelled'), finishedAt: nowMs } : asked
}

/** Before it trains it keeps waiting, and gives its turn to others; while it trains the account is asked to pause it. */
export function paused(job: TuningJob, nowMs: number): TuningJob | Problem {
  const isTrained = job.seen?.status === 'succeeded'
  if (isOver(job) || job.end || isTrained)
    return new Problem('conflict', `A job that is ${isTrained ? 'trained' : job.status} cannot be paused.`)
  if (job.asked.pauseAt !== undefined) return job
  const held = { ...job, asked: { ...job.asked, pauseAt: nowMs } }
  // What trains is paused when its account says so.
  return job.sending?.askedAt === undefined ? become(held, 'paused') : held
}

export function resumed(job: TuningJob): TuningJob | Problem {
  if (job.asked.pauseAt === undefined && job.status !== 'paused')
    return new Problem('conflict', `A job that is ${job.status} cannot be resumed.`)
  const { pauseAt: _, ...asked } = job.asked
  return become({ ...job, asked }, job.checked ? 'queued' : 'validating_files')
}

export function decided(job: TuningJob, decision: Decision): TuningJob | Problem {
  if (job.approval === 'asked' && !job.end) return { ...job, approval: decision }
  return new Problem('conflict', 'This job does not wait for approval.')
}

/** What the account trained stays trained; what it did not is asked for anew, under another mark, wherever there is room now. */
export function retried(job: TuningJob): TuningJob | Problem {
  if (job.status !== 'failed' && job.status !== 'cancelled')
    return new Problem('conflict', `A job that is ${job.status} cannot be retried.`)
  const {
    end: _end,
    fault: _fault,
    finishedAt: _finishedAt,
    approval: _approval,
    account,
    sending,
    seen,
    metering,
    results,
    resultFileId,
    ...kept
  } = job
  const isTrained = seen?.status === 'succeeded' && job.modelId !== undefined
  return {
    ...kept,
    ...(isTrained ? { account, sending, seen, metering, results, resultFileId } : {}),
    asked: {},
    status: isTrained ? 'running' : 'validating_files',
    attempt: job.attempt + 1,
  }
}
