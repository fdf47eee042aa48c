import type { DuplicateReport } from './duplicates'
import type { FaultReport } from './fault-list'
import type { PriceEstimate } from './estimate-price'
import type { PiiReport } from './pii/pii-tally'
import type { TokenReport } from './token-tally'
import type { TrainingMethod } from './training-models'

export type DatasetRole = 'training' | 'validation'

/** What is known of a dataset once it has been read. Holds no content: it may be kept, listed and logged. */
export interface DatasetReport {
  readonly method: TrainingMethod
  readonly baseModel: string
  readonly role: DatasetRole
  /** Whether it can be used: it has no errors. */
  readonly valid: boolean
  readonly faults: FaultReport
  readonly totals: DatasetTotals
  /** Of all lines that are examples of the method, also of those with errors in them. */
  readonly tokens: TokenReport
  /** Whether the tokens are counted as the base model counts them; otherwise they are rough. */
  readonly tokenizerOfModel: boolean
  readonly longestExample: LongestExample | undefined
  /** Given by the caller, or estimated; 0 for validation and for reinforcement, which counts steps. */
  readonly epochs: number
  /** Of training on this file; undefined for validation data, which costs nothing of its own. */
  readonly price: PriceEstimate | undefined
  /** `sha256:` and the hash of all bytes in hex; undefined where the file was not read to its end. */
  readonly contentHash: `sha256:${string}` | undefined
  readonly duplicates: DuplicateReport
  /** Undefined where it was not asked for. */
  readonly pii: PiiReport | undefined
}

export interface DatasetTotals {
  readonly bytes: number
  /** Blank ones at the end do not count. */
  readonly lines: number
  /** Lines without errors. */
  readonly examples: number
  readonly images: number
  readonly imageExamples: number
}

export interface LongestExample {
  readonly line: number
  readonly tokens: number
  /** False where its tokens are estimated by its length. */
  readonly exact: boolean
}
