import type { TenantId } from '../base/ids'
import { canaryTenantId } from '../tenants/canary'
import type { Limits, TenantSnapshot } from '../tenants/snapshot'

/** Whose limits a call spends and whose usage it is. */
export interface Account {
  readonly tenantId: TenantId
  readonly limits: Limits
}

/** For all onboardings that are under way together. */
const VALIDATION_LIMITS: Limits = { requestsPerMinute: 6_000, tokensPerMinute: 10_000_000, concurrentCalls: 500 }

/** The tenant's own, but the platform's while an onboarding validates it: those calls are not the tenant's to pay or to miss. */
export function accountOf({ state, tenantId, limits }: TenantSnapshot): Account {
  return state === 'validating' ? { tenantId: canaryTenantId, limits: VALIDATION_LIMITS } : { tenantId, limits }
}
