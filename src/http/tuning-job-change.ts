import { Problem } from '../base/problem'
import type { TuningJob } from '../tuning/tuning-job'
import { tuningRecordView } from '../tuning/tuning-record-view'
import { notFound, ok, type Answer } from './plain-request'

/** What became of a job that was asked to change. */
export function changedTuningJob(job: TuningJob | Problem | undefined): Answer | Problem {
  if (job instanceof Problem) return job
  return job ? ok(tuningRecordView(job)) : notFound
}
