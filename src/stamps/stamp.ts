import type { StampId, TenantId } from '../base/ids'

/**
 * A deployment stamp: a region with the Azure OpenAI accounts (and, for tenants with an account of their own, the resource
 * group) that tenants of it are placed on. Made by operators; onboarding places a tenant on one of its region.
 */
export interface Stamp {
  readonly id: StampId
  readonly name: string
  readonly region: string
  /** `/subscriptions/{id}/resourceGroups/{name}`: where dedicated accounts and tenants' storage accounts are made. */
  readonly resourceGroupId: string
  /** Resource ids of the shared accounts in which tenants with a deployment of their own get it. */
  readonly modelAccountIds: readonly string[]
  /** A stamp that takes no new tenants still serves those it has. */
  readonly acceptsTenants: boolean
  /** Only this tenant is placed here; null means any. */
  readonly reservedFor: TenantId | null
}
