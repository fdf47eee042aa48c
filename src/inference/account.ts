import type { TenantId } from '../base/ids'
import { canaryTenantId, validationLimitsId } from '../tenants/canary'
import type { Limits, TenantSnapshot } from '../tenants/snapshot'

/** Whose limits a call spends, and whose usage it is. */
export interface Account {
  /** Whose row of limits is spent from. */
  readonly limitedAs: TenantId
  readonly limits: Limits
  readonly meteredOn: TenantId
  /** False while its onboarding validates it: neither its budgets nor its aliases' limits hold for those calls. */
  readonly isOwn: boolean
}

const VALIDATION_LIMITS: Limits = { requestsPerMinute: 6_000, tokensPerMinute: 10_000_000, concurrentCalls: 500 }

/**
 * The tenant's own, but while its onboarding validates it a row of limits beside its own and the platform's usage: those calls
 * are not the tenant's to pay, and it begins with its limits whole.
 */
export function accountOf({ state, tenantId, limits }: TenantSnapshot): Account {
  if (state !== 'validating') return { limitedAs: tenantId, limits, meteredOn: tenantId, isOwn: true }
  return { limitedAs: validationLimitsId(tenantId), limits: VALIDATION_LIMITS, meteredOn: canaryTenantId, isOwn: false }
}
