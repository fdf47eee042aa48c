import type { TenantScope } from '../storage/tenant-scope'

/** Something that holds tenants' data, as offboarding empties it. Every store of the platform stands in the registry. */
export interface TenantStore {
  readonly name: string
  /** Can be repeated; what was written meanwhile goes the next time. How much was removed, as far as it is known. */
  remove(scope: TenantScope): Promise<number>
  /** How much of the tenant is left. */
  census(scope: TenantScope): Promise<number>
}

/** What stays of a tenant on purpose, and says so in its certificate. */
export interface RetainedData {
  readonly what: string
  readonly why: string
}
