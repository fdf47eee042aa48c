import type { Caller } from '../access/caller'
import type { CallerId, DatasetId, InstanceId, TuningJobId } from '../base/ids'
import type { FeatureCounts } from './feature'
import type { DriftVerdict } from './judge-drift'
import type { WrittenTopicMap } from './topic-map'

/** A day in UTC: `20261121`. */
export type Day = `${number}`

/** What a model was trained on, in numbers. Times are Unix milliseconds. */
export interface DriftBaseline {
  readonly madeAt: number
  /** Tells it from every other one. */
  readonly madeBy: string
  /** `MEASURE`, and the language detector's name where there is one. */
  readonly measure: string
  readonly state:
    | {
        readonly kind: 'made'
        /** Of the training file, by the answers in it: how many were measured. */
        readonly requests: number
        readonly counts: FeatureCounts
        readonly topics: BaselineTopics
      }
    /** Looked at again after a day. */
    | { readonly kind: 'impossible'; readonly why: 'file-gone' | 'nothing-to-measure' }
}

export type BaselineTopics =
  | { readonly kind: 'off' }
  | { readonly kind: 'made'; readonly map: WrittenTopicMap }
  /** Tried again after a day. */
  | { readonly kind: 'failed'; readonly alias: string; readonly why: string }

/** What one instance has counted of a model on one day. It alone writes it, as a whole, so that writing it twice counts once. */
export interface DayCounts {
  readonly instanceId: InstanceId
  readonly measure: string
  /** Of which map its topics are. */
  readonly topicsId?: string | undefined
  /** Every call that the model answered, and those of them that were measured. */
  readonly calls: number
  readonly samples: number
  readonly counts: FeatureCounts
}

/** What is known of a model's drift and what was done about it. */
export interface DriftState {
  readonly judgedAt?: number | undefined
  readonly verdict: DriftVerdict
  readonly policy: DriftPolicy
  /** Of the verdict that holds. */
  readonly retraining: Retraining
  /** When jobs were started, the newest last; at most `STARTS_MAX`. */
  readonly starts: readonly number[]
}

export const STARTS_MAX = 50

export type Retraining =
  | { readonly kind: 'none' }
  | { readonly kind: 'proposed'; readonly atMs: number; readonly why: ProposedWhy }
  /** Written before the job is made, under the id that is given here: whoever repeats it makes none twice. */
  | ({ readonly kind: 'starting' } & StartedJob)
  | ({ readonly kind: 'started' } & StartedJob)

export interface StartedJob {
  readonly atMs: number
  readonly jobId: TuningJobId
  readonly datasetId: DatasetId
}

export const proposedWhys = ['policy', 'no-newer-dataset', 'monthly-maximum', 'refused'] as const
/** Why it was not started: nobody allowed it, or what was allowed could not be done. */
export type ProposedWhy = (typeof proposedWhys)[number]

export type DriftPolicy =
  | { readonly kind: 'propose' }
  | {
      readonly kind: 'start'
      /** Of the files of datasets that may be trained on; absent: any. */
      readonly filenamePrefix?: string | undefined
      readonly perMonthMax: number
      readonly allowed: DriftAllowance
    }

/** Who allowed trainings to begin by themselves: they are asked for and booked as if that one had. */
export interface DriftAllowance extends Pick<Caller, 'principal' | 'limits' | 'budgets'> {
  readonly by: CallerId
  readonly atMs: number
}

export const newDriftState: DriftState = {
  verdict: { kind: 'steady' },
  policy: { kind: 'propose' },
  retraining: { kind: 'none' },
  starts: [],
}

/** How many calls of a model were given out to be measured on a day. */
export interface DaySamples {
  readonly claimed: number
}

const DAY_CHARACTERS = 10

export const dayOf = (timeMs: number): Day =>
  new Date(timeMs).toISOString().slice(0, DAY_CHARACTERS).replaceAll('-', '') as Day

const DAY_MS = 86_400_000

/** The last so many days, the newest first. */
export const daysUntil = (timeMs: number, days: number): readonly Day[] =>
  Array.from({ length: days }, (_, back) => dayOf(timeMs - back * DAY_MS))
