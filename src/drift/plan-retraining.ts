import { assertNever } from '../base/assert'
import type { DatasetId, TuningJobId } from '../base/ids'
import type { DriftAllowance, DriftState, ProposedWhy } from './drift-records'

/** What is to be done about a model that has drifted. */
export type RetrainingPlan =
  /** Nothing for now: it was done, or somebody is at it. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'propose'; readonly why: ProposedWhy }
  | {
      readonly kind: 'start'
      readonly datasetId: DatasetId
      /** Of a start that nobody has said the end of; undefined for a new one. */
      readonly jobId: TuningJobId | undefined
      readonly allowed: DriftAllowance
    }

/** Longer than it takes to make a job, with all repeats of storage. */
const STARTING_MS_MAX = 10 * 60_000
/** After it was refused it is tried again, since budgets renew and jobs end. */
const REFUSED_REST_MS = 86_400_000
/** A calendar month at its longest: what counts is that no 31 days have more. */
const MONTH_MS = 31 * 86_400_000

/** `newest` is the dataset that the policy's rule picks; undefined for none. Pure. */
export function planRetraining(
  { retraining, policy, starts }: Pick<DriftState, 'retraining' | 'policy' | 'starts'>,
  { newest, nowMs }: { readonly newest: DatasetId | undefined; readonly nowMs: number },
): RetrainingPlan {
  if (retraining.kind === 'started') return { kind: 'leave' }
  if (retraining.kind === 'starting' && nowMs - retraining.atMs < STARTING_MS_MAX) return { kind: 'leave' }
  switch (policy.kind) {
    case 'propose':
      // Of a start that was allowed before, what may have been made is a job like any other.
      return proposal('policy', retraining)
    case 'start': {
      const { allowed } = policy
      if (retraining.kind === 'starting')
        return { kind: 'start', datasetId: retraining.datasetId, jobId: retraining.jobId, allowed }
      if (isResting(retraining, nowMs)) return { kind: 'leave' }
      const lately = starts.filter((atMs) => nowMs - atMs < MONTH_MS)
      if (lately.length >= policy.perMonthMax) return proposal('monthly-maximum', retraining)
      if (newest === undefined) return proposal('no-newer-dataset', retraining)
      return { kind: 'start', datasetId: newest, jobId: undefined, allowed }
    }
    default:
      return assertNever(policy)
  }
}

const isResting = (retraining: DriftState['retraining'], nowMs: number): boolean =>
  retraining.kind === 'proposed' && retraining.why === 'refused' && nowMs - retraining.atMs < REFUSED_REST_MS

/** Said once for each reason. */
const proposal = (why: ProposedWhy, before: DriftState['retraining']): RetrainingPlan =>
  before.kind === 'proposed' && before.why === why ? { kind: 'leave' } : { kind: 'propose', why }
