import type { ContainerClient } from '@azure/storage-blob'
import type { Columns, PartitionTable } from './partition-table'
import type { TenantScope } from './tenant-scope'

/**
 * Where a tenant's own data lies (product 2.2). Records by which the platform works (tenant record, snapshot, key digests,
 * limits, usage numbers) are in the platform's tables; everything that is the tenant's (sealed content, documents,
 * exports) is reached through this, whatever the isolation level.
 */
export type DataPlace =
  /** Tables and containers of the platform's account that tenants share; the partition, or the blob's prefix, is the tenant. */
  | { readonly kind: 'logical' }
  /** Tables and containers of the tenant's own, in the platform's account. */
  | { readonly kind: 'container'; readonly suffix: string }

/** Every table of tenants' data. A slice that keeps more adds its name here, and moving, export and deletion know it. */
export const tenantDataTables = ['content'] as const
export type TenantDataTable = (typeof tenantDataTables)[number]

export const tenantDataContainers = ['content'] as const
export type TenantDataContainer = (typeof tenantDataContainers)[number]

/** A tenant's blobs in one container. Names are the tenant's own; the place's prefix is put in front where tenants share it. */
export interface TenantBlobs {
  readonly client: ContainerClient
  readonly prefix: string
}

export interface TenantData {
  /** The rows are the tenant's in any place: their partition key is its id (I2). */
  table(scope: TenantScope, name: TenantDataTable): Promise<PartitionTable<Columns>>
  blobs(scope: TenantScope, name: TenantDataContainer): Promise<TenantBlobs>
}
