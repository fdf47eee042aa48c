import type { CallerId, DatasetId, FileId } from '../base/ids'
import type { ContentHash } from '../files/file-record'
import type { DatasetRole } from './dataset-report'
import type { LeakageReport } from './find-leakage'
import type { TrainingMethod } from './training-models'
import type { TrainingType } from './training-prices'

/**
 * A file of a tenant that was, or is being, read as training or validation data. The report, its faults and the sketch of its examples are
 * records beside it; none has content. Times are Unix milliseconds.
 */
export interface Dataset {
  readonly id: DatasetId
  readonly createdAt: number
  readonly by: CallerId
  /** Jobs make one of a file that nobody has registered, so that it is read once. */
  readonly origin: 'registered' | 'job'
  readonly file: DatasetFile
  readonly method: TrainingMethod
  readonly baseModel: string
  readonly role: DatasetRole
  readonly trainingType: TrainingType
  /** What a job is to be told; undefined for an estimate. */
  readonly epochs?: number | undefined
  /** Of training data: what it is compared with. */
  readonly validationId?: DatasetId | undefined
  readonly consent?: DatasetConsent | undefined
  readonly state: DatasetState
  readonly leakage?: DatasetLeakage | undefined
}

export interface DatasetFile {
  readonly id: FileId
  readonly filename: string
  readonly bytes: number
}

export type DatasetState =
  | { readonly kind: 'validating'; readonly sinceMs: number }
  /** Read to its end, sound or not. */
  | {
      readonly kind: 'validated'
      readonly atMs: number
      /** `CHECK_RULES` when it was read. */
      readonly rules: number
      readonly summary: DatasetSummary
    }
  /** It could not be read. */
  | { readonly kind: 'failed'; readonly atMs: number; readonly code: string; readonly message: string }

/** Of the report what lists show. */
export interface DatasetSummary {
  readonly valid: boolean
  readonly contentHash: ContentHash | undefined
  readonly errors: number
  readonly warnings: number
  readonly faultsKept: number
  readonly examples: number
  readonly tokens: number
  readonly piiLines: number
}

/** That the file may be sent to a model account, to train models of its tenant's own and for nothing else. */
export interface DatasetConsent {
  readonly purpose: typeof TRAINING_PURPOSE
  readonly by: CallerId
  readonly atMs: number
}

export const TRAINING_PURPOSE = 'fine-tuning'

export interface DatasetLeakage extends LeakageReport {
  readonly validationId: DatasetId
  readonly atMs: number
}

/** Counted up whenever a release finds other faults, or counts otherwise: what was read by older rules is read anew. */
export const CHECK_RULES = 1
