import type { CallerId, KeyId, TenantId } from '../base/ids'
import type { Budgets } from '../tenants/budget'
import type { OwnLimits } from '../tenants/snapshot'
import type { TenantRole } from './permissions'

/** Who a verified credential speaks for. Only `access` makes one. */
export interface Caller {
  readonly tenantId: TenantId
  /** What the usage log names the caller by: the key's id, or one that stands for an Entra principal. */
  readonly callerId: CallerId
  readonly principal: CallerPrincipal
  /** Of an Entra principal; API keys have scopes instead. */
  readonly role: TenantRole | undefined
  readonly scopes: readonly Scope[]
  /** The aliases this key may use; undefined means all of the tenant's. */
  readonly aliases: readonly string[] | undefined
  /** The key's own limits, below the tenant's; undefined means only the tenant's count. */
  readonly limits: OwnLimits | undefined
  readonly budgets?: Budgets | undefined
}

export type CallerPrincipal =
  | { readonly kind: 'key'; readonly keyId: KeyId }
  | { readonly kind: 'user' | 'application'; readonly directoryId: string; readonly objectId: string }

export const scopes = ['inference', 'admin', 'read-only'] as const
export type Scope = (typeof scopes)[number]

/** What a request carries to prove who it is, before anything is known of it. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'api-key'; readonly text: string }
  | { readonly kind: 'entra-token'; readonly text: string }
