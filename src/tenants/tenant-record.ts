import type { BackendId, TenantId } from '../base/ids'
import type { AsleepBackend } from './asleep-backend'
import type { Budgets } from './budget'
import type { Measure } from './measure'
import type { OwnAccount, OwnDeployment } from './own-models-input'
import type {
  AliasHedge,
  Capability,
  Limits,
  ModelAlias,
  OwnLimits,
  TenantSettings,
  TenantState,
  TierName,
} from './snapshot'

/** What the platform keeps of a tenant. The data path never reads it: it reads the snapshot compiled from it. */
export interface TenantRecord {
  readonly tenantId: TenantId
  /** Rises by one with every change; also the version of the snapshot and, in quotes, the ETag. */
  readonly version: number
  readonly state: TenantState
  readonly displayName: string
  readonly contact: { readonly email: string }
  readonly tier: TierName
  /** The tenant's home region. */
  readonly region: string
  /** Regions that may serve the tenant; empty means any. */
  readonly residency: readonly string[]
  readonly isolation: Isolation
  readonly aliases: readonly AliasSpec[]
  /** Only where its models are `tenant-owned`. */
  readonly ownAccount?: OwnAccount | undefined
  /** In place of the tier's limits, within the tier's bounds. */
  readonly limitOverrides: Partial<Limits>
  /** In place of the tier's budgets, within the tier's bounds. */
  readonly budgetOverrides?: Budgets | undefined
  readonly settings: TenantSettings
  /** Tuned models that sleep; the platform's to say. */
  readonly asleep?: readonly AsleepBackend[] | undefined
  /** Against what it does to others; the platform's to say. At most one for a pool of backends. */
  readonly measures?: readonly Measure[] | undefined
  /** Unix milliseconds. */
  readonly createdAt: number
  /** Unix milliseconds. */
  readonly updatedAt: number
}

export const modelIsolations = ['shared', 'own-deployment', 'dedicated', 'tenant-owned'] as const
export const dataIsolations = ['logical', 'container', 'account'] as const

export interface Isolation {
  readonly models: (typeof modelIsolations)[number]
  readonly data: (typeof dataIsolations)[number]
}

/** An alias as it was asked for; what is left out comes from the model's facts and the tier when it is compiled. */
export interface AliasSpec {
  readonly name: string
  readonly model: string
  readonly capabilities?: readonly Capability[] | undefined
  readonly groups: readonly {
    readonly members: readonly { readonly backendId: BackendId; readonly weight: number }[]
  }[]
  /** Only where its models are `own-deployment` or `dedicated`. */
  readonly deployment?: OwnDeployment | undefined
  readonly outputTokensMax?: number | undefined
  readonly outputTokensField?: ModelAlias['outputTokensField'] | undefined
  /** Held besides the tenant's own; absent: only the tenant's count. */
  readonly limits?: OwnLimits | undefined
  readonly budgets?: Budgets | undefined
  readonly fallback?: string | undefined
  readonly hedge?: AliasHedge | undefined
}
