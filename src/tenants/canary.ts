import type { TenantId } from '../base/ids'

/**
 * The platform's own tenant, by whose credential each onboarding tries to reach the new tenant and must fail. It has a
 * record, keys and one alias that leads nowhere, and stands in no list.
 */
export const canaryTenantId: TenantId = `ten_${'0'.repeat(26)}`
export const canaryAlias = 'canary'
