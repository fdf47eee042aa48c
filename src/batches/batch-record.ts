import type { Amount } from '../budgets/amount'
import type { Account } from '../files/account-files'
import type { BackendId, BatchId, CallerId, FileId, KeyId } from '../base/ids'
import type { Budgets } from '../tenants/budget'
import type { BatchEndpoint } from './batch-endpoint'
import type { OutputCap } from './line-request'

/**
 * What the platform keeps of a batch: numbers, ids and states. Its metadata is the client's own text and lies sealed beside
 * (`BatchStore`); its requests and answers are files. Times are Unix milliseconds.
 *
 * T1  `end` says how the batch ends and is decided once; from then on nothing more is sent for it.
 * T2  `sending` is written before anything is sent to an account, so that what a crash leaves there is looked for.
 * T3  `status` is what clients see: it is over (`isOver`) only when its usage is in the log and its files are there.
 */
export interface BatchRecord {
  readonly id: BatchId
  readonly createdAt: number
  readonly endpoint: BatchEndpoint
  readonly inputFileId: FileId
  /** The deployment that the path named, or the body's `model`: then every line must name it too. */
  readonly model?: string | undefined
  readonly outputExpiresAfterSeconds?: number | undefined
  readonly hasMetadata: boolean
  readonly by: BatchCaller
  readonly status: BatchStatus
  readonly since: { readonly [Status in BatchStatus]?: number | undefined }
  readonly counts: BatchCounts
  /** Why the input was refused, or the batch failed. */
  readonly faults: readonly BatchFault[]
  readonly cancelAskedAt?: number | undefined
  readonly end?: BatchEnd | undefined
  readonly work?: BatchWork | undefined
  readonly sending?: BatchSending | undefined
  /** Our files: named before they are made (so that a repeated step makes none twice), shown once the batch is over. */
  readonly files?: { readonly [Kind in OutputKind]?: FileId | undefined } | undefined
  /** Of `files` those that could not be made. */
  readonly unkept?: readonly OutputKind[] | undefined
  readonly metering?: BatchMetering | undefined
}

export const batchStatuses = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const
export type BatchStatus = (typeof batchStatuses)[number]
export type BatchEnd = Extract<BatchStatus, 'failed' | 'completed' | 'expired' | 'cancelled'>

export interface BatchCounts {
  readonly total: number
  readonly completed: number
  readonly failed: number
}

/** Whose batch it is, as far as what it may use and what it is booked on go; kept, since it outlives the request. */
export interface BatchCaller {
  readonly callerId: CallerId
  readonly keyId?: KeyId | undefined
  readonly aliases: readonly string[] | undefined
  readonly budgets?: Budgets | undefined
}

/** Codes: Azure's batch page (azure-facts 4). `line` counts from 1. No content of a line stands in it. */
export interface BatchFault {
  readonly code: string
  readonly message: string
  readonly param: string | null
  readonly line: number | null
}

/** What the check found: where the batch goes, and what it may cost. */
export interface BatchWork {
  readonly alias: string
  readonly lines: number
  readonly model: string
  readonly backendId: BackendId
  /** Kept here: what is there has to be fetched and deleted when nobody knows the backend any more. */
  readonly account: Account
  /** As they were at the check: what is sent is the same whenever it is sent again. */
  readonly deployment: string
  readonly region: string
  readonly cap: OutputCap
  readonly weight: number
  /** Of tokens the prompt's part. */
  readonly promptTokens: number
  readonly estimate: Amount
}

/** What was sent to the account, each id as soon as it is known. */
export interface BatchSending {
  readonly fileId?: string | undefined
  /** From then on the account may have the batch, whether or not its answer came. */
  readonly askedAt?: number | undefined
  readonly batchId?: string | undefined
  readonly outputFileId?: string | undefined
  readonly errorFileId?: string | undefined
}

/** The claim under which usage is being recorded; `skipped` entries count under earlier ones. */
export interface BatchMetering {
  readonly atMs: number
  readonly sequence: number
  readonly skipped: number
  readonly used?: Amount | undefined
}

/** How long a batch has to begin; the account then takes as long as it takes. */
export const COMPLETION_WINDOW_MS = 24 * 3_600_000
export const BATCH_FAULTS_MAX = 100

const OVER: readonly BatchStatus[] = ['failed', 'completed', 'expired', 'cancelled']

export const isOver = ({ status }: Pick<BatchRecord, 'status'>): boolean => OVER.includes(status)

/** The record with another status from now on; what is over stays so. */
export function become(record: BatchRecord, status: BatchStatus, nowMs: number): BatchRecord {
  if (isOver(record) || record.status === status) return record
  return { ...record, status, since: { ...record.since, [status]: nowMs } }
}

/** The first end counts. */
export const ending = (record: BatchRecord, end: BatchEnd, faults: readonly BatchFault[] = []): BatchRecord =>
  record.end ? record : { ...record, end, faults: [...record.faults, ...faults].slice(0, BATCH_FAULTS_MAX) }

export const outputKinds = ['output', 'errors'] as const
/** Lines that were answered, and lines that failed. */
export type OutputKind = (typeof outputKinds)[number]

export const accountFileOf = ({ sending }: BatchRecord, kind: OutputKind): string | undefined =>
  kind === 'output' ? sending?.outputFileId : sending?.errorFileId

/** Whether an account may have something of it. */
export const wasSent = ({ sending }: BatchRecord): boolean => sending?.askedAt !== undefined

export const batchFault = (code: string, message: string, more: Partial<BatchFault> = {}): BatchFault => ({
  code,
  message,
  param: null,
  line: null,
  ...more,
})
