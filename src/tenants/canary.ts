import type { TenantId } from '../base/ids'

/**
 * The platform's own tenant, by whose credential each onboarding tries to reach the new tenant and must fail. It has a
 * record, keys and one alias that leads nowhere, and stands in no list.
 */
export const canaryTenantId: TenantId = `ten_${'0'.repeat(26)}`
export const canaryAlias = 'canary'

/**
 * Names the row of limits that a tenant's validation spends from. No tenant can have this id: ids begin with their time, whose
 * first character is `0` or `1` for the next thirty thousand years.
 */
export const validationLimitsId = (tenantId: TenantId): TenantId => `ten_z${tenantId.slice('ten_'.length + 1)}`
