import type { TenantId } from '../base/ids'

/**
 * Tenants of the platform's own that hold something which is nobody's: a shared model with what it was trained on. Like any tenant each
 * has a record, a data key and files, jobs, models; unlike any other it stands in no list, and no path, key or link names it, so
 * that no credential can be of it. Its id cannot be one that was made for a tenant: those begin with their time, whose first
 * character is `0` or `1` for the next thirty thousand years.
 */
export const platformOwnerId = (body: string): TenantId => `${PREFIX}${body.slice(1)}`

const PREFIX = 'ten_y'

export const isPlatformOwner = (tenantId: TenantId): boolean => tenantId.startsWith(PREFIX)
