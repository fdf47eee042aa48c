import type { BackendId, CallerId, EvaluationId, FileId, ModelId, TuningJobId } from '../base/ids'
import { idBody, parseModelId } from '../base/ids'
import type { TrainingMethod } from '../datasets/training-models'
import type { TrainingType } from '../datasets/training-prices'
import type { Account } from '../files/account-files'

/**
 * One version of a tuned model: what a training made for its tenant. Times are Unix milliseconds. Kept sealed with the tenant's
 * key, since suffixes, aliases and graders are the tenant's own words.
 *
 * M1  A version never changes what it was made of: `lineage`, `upstream` and `training` are written once.
 * M2  It is reached by its tenant's aliases only. `upstream` names it at the account, and is never shown to clients.
 * M3  One training makes one version: the version's id is made of the job's.
 */
export interface ModelVersion {
  readonly id: ModelId
  /** By which its tenant calls it. */
  readonly name: TunedModelName
  /** Versions of one purpose, counted together: the base's family, and the suffix where there is one. */
  readonly family: string
  /** From 1, in the order of registration. */
  readonly version: number
  readonly registeredAt: number
  readonly lineage: Lineage
  readonly training: TrainingFacts
  readonly upstream: UpstreamModel
  readonly deployment: ModelDeployment
  /** What was done to it, the oldest first; at most `HISTORY_MAX`. */
  readonly history: readonly ModelEvent[]
  /** The newest last; at most `EVALUATIONS_MAX`. */
  readonly evaluations: readonly ModelEvaluation[]
  /** The newest last; at most `PROMOTIONS_MAX`. */
  readonly promotions: readonly Promotion[]
  /** How long it took each time until it answered, the newest last; at most `DEPLOY_TIMES_MAX`. */
  readonly deployTimesMs?: readonly number[] | undefined
  readonly archivedAt?: number | undefined
}

/** `gpt-4.1-mini-2025-04-14.ft-{26}[-suffix]`, as OpenAI and Azure spell such names, with our id in it. */
export type TunedModelName = `${string}.ft-${string}`

/** Where it comes from. */
export interface Lineage {
  readonly jobId: TuningJobId
  /** The provider's model at the root of it: `gpt-4.1-mini-2025-04-14`. */
  readonly baseModel: string
  /** The tuned model that was trained further. */
  readonly parent?: ModelId | undefined
  /** The same model in another region's account, which trained nothing. */
  readonly copyOf?: ModelId | undefined
  /** Trained anew from the same data and definition, since its account was lost. */
  readonly rebuilds?: ModelId | undefined
  readonly method: TrainingMethod
  readonly trainingType: TrainingType
  /** As the provider used them, where it says so; otherwise as they were asked for. */
  readonly hyperparameters: Hyperparameters
  readonly seed?: number | undefined
  readonly suffix?: string | undefined
  readonly training: DatasetLineage
  readonly validation?: DatasetLineage | undefined
  readonly by: CallerId
  readonly consentAt: number
}

export type Hyperparameters = Readonly<Record<string, number | string>>

export interface DatasetLineage {
  readonly fileId: FileId
  readonly contentHash: `sha256:${string}`
  readonly examples: number
}

/** What the provider said of the training. */
export interface TrainingFacts {
  readonly startedAt?: number | undefined
  readonly finishedAt: number
  /** Undefined where it is charged by time. */
  readonly trainedTokens?: number | undefined
  /** Of the last step that said them, by the provider's own names: `train_loss`, `valid_mean_token_accuracy`. */
  readonly metrics: Readonly<Record<string, number>>
  /** The provider's table of all steps, as a file of the tenant's. */
  readonly resultFileId?: FileId | undefined
}

/** Where it is, and as what. Deleting the model there is asked of this account. */
export interface UpstreamModel {
  readonly model: string
  /** The account's ARM id, where deployments are made through ARM. */
  readonly accountId?: string | undefined
  /** The account that trained it and has it, where that is another one: a copy is deployed from there. */
  readonly sourceAccountId?: string | undefined
  readonly account: Account
  /** Of the account. */
  readonly region: string
}

export type ModelDeployment =
  | { readonly kind: 'none' }
  /** Written before anything is made, so that what a crash leaves is found. */
  | {
      readonly kind: 'deploying'
      readonly plan: DeploymentPlan
      readonly sinceMs: number
      /** It is woken: where that fails it is asleep again, and its aliases stay. */
      readonly isWoken?: boolean | undefined
    }
  | { readonly kind: 'deployed'; readonly plan: DeploymentPlan; readonly sinceMs: number }
  /** Taken away while nobody used it; its plan says how it comes back. */
  | { readonly kind: 'asleep'; readonly plan: DeploymentPlan; readonly sinceMs: number }
  | {
      readonly kind: 'removing'
      readonly plan: DeploymentPlan
      readonly sinceMs: number
      readonly to: 'asleep' | 'none'
      /** Nobody is led there any more and the last call is over: from here on it goes, whoever calls meanwhile. */
      readonly isDrained: boolean
    }

/** Everything that a deployment is made from again: the same resource and backend each time. */
export interface DeploymentPlan {
  /** The account that it is deployed at. */
  readonly accountId: string
  /** Of the deployment at the account. */
  readonly name: string
  readonly sku: DeploymentSku
  /** In thousands of tokens per minute, or provisioned units. */
  readonly capacity: number
  readonly backendId: BackendId
}

/** Those that serve tuned models (azure-facts 3.4). */
export const deploymentSkus = ['Standard', 'GlobalStandard', 'DataZoneStandard', 'DeveloperTier'] as const
export type DeploymentSku = (typeof deploymentSkus)[number]

export interface ModelEvent {
  readonly atMs: number
  readonly kind:
    'registered' | 'deployed' | 'asleep' | 'woken' | 'removed' | 'archived' | 'restored' | 'copied' | 'rebuilt'
  /** A caller's id, a job's, or the platform's word for a timer. */
  readonly by: string
  readonly detail?: string | undefined
}

/** What a held-out set said of it; scores are 0 to 1, and the same set was put to the base. */
export interface ModelEvaluation {
  /** The run that found it; one run makes one evaluation. */
  readonly id: EvaluationId
  readonly atMs: number
  readonly fileId: FileId
  readonly datasetHash: `sha256:${string}`
  /** Which of the set's lines both models answered: two evaluations of one hash were put to exactly the same. */
  readonly sampleHash: `sha256:${string}`
  /** That both models answered, and that one of them did not. */
  readonly examples: number
  readonly unanswered: number
  readonly tuned: Scores
  readonly base: Scores
  /** By how much the tuned model is better, example by example, -1 to 1. */
  readonly gains: Readonly<Record<string, Gain>>
  /** The tenant's alias behind which the base was asked, and the one that graded. */
  readonly baseAlias: string
  readonly graderAlias?: string | undefined
}

/** The mean of the differences, and the interval in which it lies 95 times of 100. */
export interface Gain {
  readonly mean: number
  readonly low: number
  readonly high: number
}

export type Scores = Readonly<Record<string, number>>

/** Undoing it leads the alias back to `before`. */
export interface Promotion {
  readonly alias: string
  readonly before: readonly AliasMember[]
  readonly after: readonly AliasMember[]
  readonly atMs: number
  readonly by: string
}

export interface AliasMember {
  readonly backendId: BackendId
  readonly weight: number
}

export const HISTORY_MAX = 200
export const EVALUATIONS_MAX = 50
export const PROMOTIONS_MAX = 200
export const DEPLOY_TIMES_MAX = 5

const SUFFIX = '[A-Za-z0-9_-]{1,40}'
const NAME = new RegExp(`^([A-Za-z0-9][A-Za-z0-9._-]{0,99})\\.ft-(${idBody})(?:-(${SUFFIX}))?$`)

/** One job makes one version, whoever repeats its registration (M3). */
export const modelIdOf = (jobId: TuningJobId): ModelId => `mdl_${jobId.slice('ftjob-'.length)}`

/** As long as an alias's name may be, which it is. */
const NAME_CHARACTERS_MAX = 64

/** With as much of the suffix as an alias has room for: the id in it tells names apart. */
export function tunedModelName(
  id: ModelId,
  { baseModel, suffix }: Pick<Lineage, 'baseModel' | 'suffix'>,
): TunedModelName {
  const name: TunedModelName = `${baseModel}.ft-${id.slice('mdl_'.length)}`
  const room = NAME_CHARACTERS_MAX - name.length - 1
  return suffix === undefined || room < 1 ? name : `${name}-${suffix.slice(0, room)}`
}

/** The version that a name means, if it is one of ours at all; whether the tenant has it only its registry knows. */
export function modelIdOfName(name: string): ModelId | undefined {
  const [, , body] = NAME.exec(name) ?? []
  return body === undefined ? undefined : parseModelId(`mdl_${body}`)
}
