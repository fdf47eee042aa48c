import type { Removal } from '../checklists/removal'
import type { TenantScope } from '../storage/tenant-scope'

/** Something that holds tenants' data, as offboarding empties it. Every store of the platform stands in the registry. */
export interface TenantStore {
  readonly name: string
  /** What it answers for. */
  readonly holds: StorageNames
  /** Can be repeated; what was written meanwhile goes the next time. */
  remove(scope: TenantScope): Promise<Removal>
  /** How much of the tenant is there: rows, blobs, links, resources. */
  census(scope: TenantScope): Promise<number>
}

/** What stays of a tenant on purpose, and says so in its certificate. */
export interface RetainedData {
  readonly what: string
  readonly why: string
  readonly holds: StorageNames
}

/** Tables and containers by the names that slices know them by, without the installation's prefix. */
export interface StorageNames {
  readonly tables?: readonly string[]
  readonly containers?: readonly string[]
}
