import type { KeyId, TenantId } from '../base/ids'
import type { Limits } from '../tenants/snapshot'

/** Who a verified credential speaks for. Only `access` makes one. */
export interface Caller {
  readonly tenantId: TenantId
  readonly keyId: KeyId
  readonly scopes: readonly Scope[]
  /** The aliases this key may use; undefined means all of the tenant's. */
  readonly aliases: readonly string[] | undefined
  /** The key's own limits, below the tenant's; undefined means only the tenant's count. */
  readonly limits: Partial<Limits> | undefined
}

export const scopes = ['inference', 'admin', 'read-only'] as const
export type Scope = (typeof scopes)[number]

/** What a request carries to prove who it is, before anything is known of it. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'api-key'; readonly text: string }
  | { readonly kind: 'entra-token'; readonly text: string }
