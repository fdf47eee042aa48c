import type { BackendId, TenantId } from '../base/ids'
import type { AsleepBackend } from './asleep-backend'
import type { Budgets } from './budget'
import type { Measure } from './measure'

/**
 * What the data path knows of a tenant: compiled by the control plane in one write (I17), read by every call.
 * Nothing else of the tenant is read while a call is served.
 */
export interface TenantSnapshot {
  readonly tenantId: TenantId
  /** Rises with every compilation. */
  readonly version: number
  readonly state: TenantState
  readonly displayName: string
  readonly tier: TierName
  readonly limits: Limits
  /** Absent in snapshots from before there were any. */
  readonly budgets?: Budgets | undefined
  /** Share of a contended backend; 1 is the standard tier's. */
  readonly weight: number
  /** Regions that may serve this tenant; empty means any (2.4). */
  readonly residency: readonly string[]
  /** By the alias's name, as the tenant's callers write it. */
  readonly aliases: Readonly<Record<string, ModelAlias>>
  readonly settings: TenantSettings
}

/** While `validating`, only the onboarding itself has a credential that is let in. */
export const tenantStates = ['onboarding', 'validating', 'active', 'suspended', 'offboarding'] as const
export type TenantState = (typeof tenantStates)[number]
export const tierNames = ['free', 'standard', 'premium'] as const
export type TierName = (typeof tierNames)[number]

export interface Limits {
  /** Calls admitted in any 60 s. */
  readonly requestsPerMinute: number
  /** Prompt + output tokens admitted in any 60 s. */
  readonly tokensPerMinute: number
  /** Calls under way at one time. */
  readonly concurrentCalls: number
}

/** Of a key or an alias, held besides the tenant's; an absent one bounds nothing. */
export type OwnLimits = { readonly [Name in keyof Limits]?: number | undefined }

export interface TenantSettings {
  /** Leaves out Azure's first stream chunk (`choices: []` with `prompt_filter_results`), on which some clients crash. */
  readonly hidePromptFilterChunk: boolean
  /** Percent of a budget at which to warn; absent: 50, 80 and 100. */
  readonly budgetWarnPercents?: readonly number[] | undefined
  /** What becomes of a call whose client has gone, where the server tells; absent: `drain`. */
  readonly clientGone?: ClientGonePolicy | undefined
  readonly tunedModels?: TunedModelSettings | undefined
  /** Absent where the tenant never asked for it. */
  readonly drift?: DriftSettings | undefined
}

/** Whether calls to tuned models are compared with what these were trained on, and how. Absent values are the platform's. */
export interface DriftSettings {
  readonly watch: boolean
  /** Of the tenant's own, for embeddings: with it topics are compared too. */
  readonly topicsAlias?: string | undefined
  /** Of each model, those that are measured. */
  readonly callsPerDayMax?: number | undefined
  /** What is compared are the last so many days. */
  readonly windowDays?: number | undefined
  /** Population stability indexes. */
  readonly warnAt?: number | undefined
  readonly alarmAt?: number | undefined
}

export interface TunedModelSettings {
  /** A deployment that nobody has called for so long is taken away until the next call; absent: the platform's default. */
  readonly idleHours?: number | undefined
  /** Which alias answers for another one while that one's model sleeps; the others' callers are told to come again. */
  readonly whileAsleep?: readonly { readonly alias: string; readonly answeredBy: string }[] | undefined
}

/** Of a tuned model that nobody calls. Azure takes its deployment down itself after 15 days (azure-facts 3.4). */
export const IDLE_HOURS_MAX = 14 * 24

export const clientGonePolicies = ['drain', 'cancel'] as const
/**
 * `drain`: the answer is read to its end, so that the provider's own usage is metered. `cancel`: the call is ended at the
 * provider, and what had come is metered by our count.
 */
export type ClientGonePolicy = (typeof clientGonePolicies)[number]

/** `batch`: the deployments behind it are of a batch SKU, which serves batches and nothing else. */
export const capabilities = ['chat', 'completions', 'embeddings', 'images', 'transcription', 'speech', 'batch'] as const
export type Capability = (typeof capabilities)[number]

export interface ModelAlias {
  readonly name: string
  /** The model family behind it, as the price book and `GET models` name it: `gpt-4.1-mini`. */
  readonly model: string
  readonly capabilities: readonly Capability[]
  /** Tried in order; within a group by weight. */
  readonly groups: readonly BackendGroup[]
  /** No call may ask for more output tokens, and a call that asks for none gets this cap. 0 where none are generated. */
  readonly outputTokensMax: number
  /** How the model's API names the cap; reasoning models accept only the second. */
  readonly outputTokensField: 'max_tokens' | 'max_completion_tokens'
  /** Held besides the tenant's own. */
  readonly limits?: OwnLimits | undefined
  readonly budgets?: Budgets | undefined
  /** The alias whose model answers where no backend of this one does, before the first byte. */
  readonly fallback?: string | undefined
  readonly hedge?: AliasHedge | undefined
  /** All that it leads to sleeps: a call wakes it, and is answered by `answeredBy` or told when to come again. */
  readonly asleep?: AsleepAlias | undefined
  /** Of the platform, while the tenant is in others' way at one of its backends. */
  readonly measure?: Measure | undefined
}

export type AsleepAlias = AsleepBackend & { readonly answeredBy?: string | undefined }

/** A second backend is asked for a stream whose first token takes long. */
export interface AliasHedge {
  readonly afterMs: number
  /** Of the alias's streams, at most so many are asked for twice. */
  readonly shareMax: number
}

export interface BackendGroup {
  readonly members: readonly { readonly backendId: BackendId; readonly weight: number }[]
}
