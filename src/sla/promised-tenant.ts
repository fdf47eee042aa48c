import type { TenantId } from '../base/ids'
import { canaryTenantId } from '../tenants/canary'
import { isPlatformOwner } from '../tenants/platform-owner'
import type { TenantSnapshot } from '../tenants/snapshot'

export type TenantOf = (
  tenantId: TenantId,
) => Pick<TenantSnapshot, 'state'> | undefined | Promise<Pick<TenantSnapshot, 'state'> | undefined>

/**
 * Whether anything is promised to a tenant: to one that is there and is nobody's but a customer's. Usage outlives its tenant, and nothing
 * may be written of one that is gone.
 */
export async function isPromised(tenantOf: TenantOf, tenantId: TenantId): Promise<boolean> {
  if (tenantId === canaryTenantId || isPlatformOwner(tenantId)) return false
  const state = (await tenantOf(tenantId))?.state
  return state === 'active' || state === 'suspended'
}
