import { assert } from '../base/assert'
import { parseBackendId, parseFileId, parseOperationId, parseTuningJobId, type TenantId } from '../base/ids'
import type { BackendId, FileId, ModelId, OperationId, TuningJobId } from '../base/ids'
import type { Hyperparameters } from '../registry/model-version'
import { platformOwnerId } from '../tenants/platform-owner'
import type { PurposeId } from './purpose'
import type { LeftOut } from './shared-example'

/**
 * A model that is trained on examples of several tenants, from the order to its end. Ids and numbers, and nothing of what examples
 * say; read by operators. Times are Unix milliseconds.
 *
 * S1  A model has an owner of its own (`ownerOf`): a tenant of the platform's that no credential can be of. Its examples, job, model
 *     and deployment are the owner's, so they are sealed with its key, and go with it.
 * S2  `affected` is set once somebody whose examples are in it no longer consents, and never taken back: the model is led to until
 *     another takes its place, at most until `retireByMs`.
 * S3  Who consented is asked again before examples are read, before anything is sent, and before the model is offered.
 */
export interface SharedModel {
  readonly id: SharedModelId
  readonly createdAt: number
  /** An operator, or what was repeated for want of a consent. */
  readonly by: string
  readonly order: SharedModelOrder
  /** Of the purpose: the text to which its contributors consented, and where it is. */
  readonly textVersion: number
  readonly region: string
  readonly state: SharedModelState
  /** Whose examples it is made of; empty until they are collected. */
  readonly contributors: readonly Contributor[]
  /** How many words at least `tenantsMin` of them use, once they were counted. */
  readonly commonWords?: number | undefined
  readonly merged?: MergedData | undefined
  /** Who may use it beside its contributors. */
  readonly grants: readonly TenantId[]
  /** The one whose place it takes. */
  readonly supersedes?: SharedModelId | undefined
  /** The one that is made in its place. */
  readonly successor?: SharedModelId | undefined
  readonly affected?: Affected | undefined
  /** Why a build that is being undone failed. */
  readonly fault?: { readonly code: string; readonly message: string } | undefined
}

export type SharedModelId = `shm_${string}` & OperationId

export interface SharedModelOrder {
  readonly purposeId: PurposeId
  readonly baseModel: string
  readonly suffix: string
  readonly hyperparameters: Hyperparameters
  /** With fewer it is not made, and no word is in it that fewer of them use. */
  readonly tenantsMin: number
}

export type SharedModelState =
  | { readonly kind: 'building' }
  | { readonly kind: 'ready'; readonly sinceMs: number }
  /** Nobody is led to it any more, or soon; then it is deleted. */
  | { readonly kind: 'retiring'; readonly sinceMs: number; readonly why: RetirementReason }
  | { readonly kind: 'retired'; readonly atMs: number; readonly why: RetirementReason }
  /** Nothing is left of it. */
  | { readonly kind: 'failed'; readonly atMs: number; readonly code: string; readonly message: string }

export const retirementReasons = ['superseded', 'affected', 'operator'] as const
export type RetirementReason = (typeof retirementReasons)[number]

export interface Affected {
  readonly sinceMs: number
  readonly retireByMs: number
  /** Of contributors. */
  readonly objections: number
}

export interface Contributor {
  /** Absent of one that is no tenant any more. */
  readonly tenantId?: TenantId | undefined
  /** The entry of its ledger. */
  readonly consent: number
  readonly textVersion: number
  readonly fileIds: readonly FileId[]
  readonly objectedAt?: number | undefined
  /** What was read of it. */
  readonly sample?: { readonly examples: number; readonly leftOut: LeftOutCounts } | undefined
  /** What of that has nothing identifying in it. */
  readonly cleaned?: { readonly examples: number; readonly bytes: number; readonly leftOut: LeftOutCounts } | undefined
  /** What the model was trained on. */
  readonly part?: ContributedPart | undefined
}

export interface ContributedPart {
  readonly examples: number
  readonly bytes: number
  /** Of its lines as they were sent, each with its end, in the order of the sample. */
  readonly contentHash: `sha256:${string}`
}

export type LeftOutCounts = Readonly<Partial<Record<LeftOut, number>>>

export interface MergedData {
  readonly tenants: number
  readonly examples: number
  readonly bytes: number
}

/** The least that `tenantsMin` may be: between two, each would know that what is not its own is the other's. */
export const TENANTS_MIN = 3
/** Of one model; where more consent, chance chooses. */
export const TENANTS_MAX = 100
/** Who may be led to one model, contributors included. */
export const OFFERED_MAX = 200
/** Records there may be, of retired and failed ones too. */
export const SHARED_MODELS_MAX = 2_000

export function parseSharedModelId(text: string): SharedModelId | undefined {
  const id = parseOperationId(text)
  return id?.startsWith('shm_') ? (id as SharedModelId) : undefined
}

const bodyOf = (id: SharedModelId) => id.slice('shm_'.length)

/** Everything that is made for one model has its id's body, so that whoever repeats a step makes the same. */
export const ownerOf = (id: SharedModelId): TenantId => platformOwnerId(bodyOf(id))
export const modelOf = (id: SharedModelId): ModelId => `mdl_${bodyOf(id)}`
export const retirementOf = (id: SharedModelId): OperationId => `shr_${bodyOf(id)}`
export const jobOf = (id: SharedModelId): TuningJobId => made(parseTuningJobId(`ftjob-${bodyOf(id)}`))
export const fileOf = (id: SharedModelId): FileId => made(parseFileId(`file-${bodyOf(id)}`))
export const backendOf = (id: SharedModelId): BackendId => made(parseBackendId(`bke_${bodyOf(id)}`))

function made<Id>(id: Id | undefined): Id {
  assert(id !== undefined, 'the body of an id makes an id')
  return id
}

/** Tenants whose examples are in it, as far as they are tenants still. */
export const contributorIds = ({ contributors }: Pick<SharedModel, 'contributors'>): TenantId[] =>
  contributors.flatMap(({ tenantId, part }) => (tenantId !== undefined && part ? [tenantId] : []))

/** Who may be led to it: contributors that did not object, and those to whom operators gave it. */
export const offeredTo = ({ contributors, grants }: Pick<SharedModel, 'contributors' | 'grants'>): TenantId[] => {
  const consenting = contributors.filter(({ objectedAt }) => objectedAt === undefined)
  return [...new Set([...contributorIds({ contributors: consenting }), ...grants])].slice(0, OFFERED_MAX)
}
