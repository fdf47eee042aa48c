import type { CallerId, DatasetId, FileId, KeyId, ModelId, TuningJobId } from '../base/ids'
import type { Amount } from '../budgets/amount'
import type { Decision } from '../checklists/checklist'
import type { DatasetReport } from '../datasets/dataset-report'
import type { Estimate } from '../datasets/example-sketch'
import type { TrainingMethod } from '../datasets/training-models'
import type { TrainingType } from '../datasets/training-prices'
import type { Account } from '../files/account-files'
import type { EvaluationWish, GateWish, RouteWish } from '../registry/model-stages'
import type { DeploymentSku, Hyperparameters } from '../registry/model-version'
import type { Budgets } from '../tenants/budget'
import type { OwnLimits } from '../tenants/snapshot'

/**
 * A job that trains a model for its tenant, from the order to the model that answers. Sealed with the tenant's key: suffix, metadata
 * and grader are its own words. Times are Unix milliseconds.
 *
 * T1  `end` says how the job ends and is decided once; from then on nothing more is made for it, only taken back or tidied up.
 * T2  What is about to be made elsewhere is written here before (`sending.askedAt`, the registry's `deploying`), so that what a
 *     crash leaves there is looked for.
 * T3  `status` is what clients see: `succeeded` only when the model answers under its name, or was not to be deployed.
 * T4  A retry counts `attempt` up and keeps what was done well: a model that is trained is not trained again.
 */
export interface TuningJob {
  readonly id: TuningJobId
  readonly createdAt: number
  readonly by: TuningCaller
  readonly order: TuningOrder
  readonly wishes: TuningWishes
  /** Nothing leaves the tenant's store without it. */
  readonly consent: TuningConsent
  readonly status: TuningStatus
  readonly attempt: number
  readonly finishedAt?: number | undefined
  readonly asked: { readonly cancelAt?: number | undefined; readonly pauseAt?: number | undefined }
  readonly end?: TuningEnd | undefined
  readonly fault?: TuningFault | undefined
  readonly checked?: CheckedData | undefined
  readonly account?: TrainingAccount | undefined
  readonly sending?: Sending | undefined
  readonly seen?: SeenJob | undefined
  readonly metering?: TuningMetering | undefined
  /** Of a gate: somebody is asked, or has said it. */
  readonly approval?: 'asked' | Decision | undefined
  readonly modelId?: ModelId | undefined
  /** Named before it is made, so that a repeated step makes none twice. */
  readonly resultFileId?: FileId | undefined
  /** Whether the results are there, or could not be had. */
  readonly results?: 'kept' | 'none' | undefined
}

/** OpenAI's union, with `paused` as both services answer it. */
export type TuningStatus = 'validating_files' | 'queued' | 'running' | 'paused' | TuningEnd
export type TuningEnd = 'succeeded' | 'failed' | 'cancelled'

/** Whose job it is, as far as what it is booked on goes; kept, since it outlives the request. */
export interface TuningCaller {
  readonly callerId: CallerId
  readonly keyId?: KeyId | undefined
  readonly limits?: OwnLimits | undefined
  readonly budgets?: Budgets | undefined
}

export interface TuningConsent {
  readonly by: CallerId
  readonly atMs: number
}

export interface TuningOrder {
  /** As the client names it: a base model, or one of the tenant's tuned models. */
  readonly model: string
  readonly baseModel: string
  readonly parent?: ModelId | undefined
  readonly trainingFileId: FileId
  readonly validationFileId?: FileId | undefined
  readonly method: TrainingMethod
  /** What was asked for; what is absent, or `auto`, is left to the provider. */
  readonly hyperparameters: Hyperparameters
  /** Of reinforcement: sent as it came, within its bounds. */
  readonly grader?: object | undefined
  readonly responseFormat?: object | undefined
  readonly suffix?: string | undefined
  readonly seed?: number | undefined
  readonly trainingType: TrainingType
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** It trains a model anew whose account was lost; only the platform asks for that. */
  readonly rebuild?: Rebuild | undefined
}

export interface Rebuild {
  readonly of: ModelId
  /** Where it may be trained, by their ARM ids; undefined where its tenant has accounts of its own. */
  readonly accountIds?: readonly string[] | undefined
}

/** What comes after the training. */
export interface TuningWishes {
  readonly deploy?: DeployWish | undefined
  readonly evaluate?: EvaluationWish | undefined
  readonly gate?: GateWish | undefined
  readonly route?: RouteWish | undefined
}

export interface DeployWish {
  readonly sku: DeploymentSku
  /** Thousands of tokens per minute. */
  readonly capacity: number
}

/** `next` says what its owner can do. */
export interface TuningFault {
  readonly code: string
  readonly message: string
  readonly param: string | null
  readonly next: string
}

export interface CheckedData {
  readonly training: DatasetFacts
  readonly validation?: DatasetFacts | undefined
  readonly epochs: number
  /** Lines of the validation data that are trained on too. */
  readonly leaked?: Estimate | undefined
  /** What is held of budgets while it trains, and what it weighs in its turn. */
  readonly estimate: Amount
}

export interface DatasetFacts {
  readonly fileId: FileId
  /** With its whole report; undefined where it could not be kept. */
  readonly datasetId?: DatasetId | undefined
  readonly contentHash: `sha256:${string}`
  readonly examples: number
  /** Each counted once. */
  readonly tokens: number
  /** The whole report is a record of its own. */
  readonly faults: Pick<DatasetReport['faults'], 'errors' | 'warnings'>
  /** Lines with identifying data. */
  readonly piiLines?: number | undefined
}

/** Kept: what is there has to be found when nobody knows the stamp any more. */
export interface TrainingAccount {
  readonly resourceId: string
  readonly region: string
  readonly account: Account
}

/** What was sent to the account, each id as soon as it is known. */
export interface Sending {
  readonly trainingFileId?: string | undefined
  readonly validationFileId?: string | undefined
  /** From then on the account may have the job, whether or not its answer came. */
  readonly askedAt?: number | undefined
  readonly jobId?: string | undefined
}

/** As the account shows it. */
export interface SeenJob {
  readonly status: UpstreamStatus
  /** When it last did. */
  readonly shownAt?: number | undefined
  readonly startedAt?: number | undefined
  readonly finishedAt?: number | undefined
  readonly trainedTokens?: number | undefined
  readonly estimatedFinish?: number | undefined
  readonly model?: string | undefined
  readonly resultFileIds: readonly string[]
  readonly hyperparameters?: Hyperparameters | undefined
  readonly seed?: number | undefined
}

export type UpstreamStatus = 'waiting' | 'running' | 'pausing' | 'paused' | TuningEnd

/** The claim under which the training is booked. */
export interface TuningMetering {
  readonly atMs: number
  readonly sequence: number
  readonly used?: Amount | undefined
}

const ENDS: readonly TuningStatus[] = ['succeeded', 'failed', 'cancelled']

export const isOver = ({ status }: Pick<TuningJob, 'status'>): boolean => ENDS.includes(status)

/** The first end counts. */
export const ending = (job: TuningJob, end: TuningEnd, fault?: TuningFault): TuningJob =>
  job.end ? job : { ...job, end, ...(fault ? { fault } : {}) }

/** The same job where nothing changes; what is over stays so. */
export const become = (job: TuningJob, status: TuningStatus): TuningJob =>
  isOver(job) || job.status === status ? job : { ...job, status }

/** The run of its checklist: each attempt is one of its own. */
export const operationOf = ({ id, attempt }: Pick<TuningJob, 'id' | 'attempt'>) =>
  attempt === 0 ? id : `${id}-${attempt}`

/** By this suffix an account's job says whose it is: our id, which tells nobody anything. */
export const markOf = ({ id, attempt }: Pick<TuningJob, 'id' | 'attempt'>) =>
  `t${id.slice('ftjob-'.length)}${attempt === 0 ? '' : `-${attempt}`}`
