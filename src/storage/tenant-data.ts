import type { Columns, PartitionTable } from './partition-table'
import type { TenantBlobs } from './tenant-blobs'
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
  /** A storage account of the tenant's own. */
  | { readonly kind: 'account'; readonly account: TenantAccount }

/** A storage account that nothing but one tenant's data is in. */
export interface TenantAccount {
  /** Azure's: `/subscriptions/…/providers/Microsoft.Storage/storageAccounts/{name}`. */
  readonly resourceId: string
  readonly name: string
  readonly blobUrl: string
  readonly queueUrl: string
  readonly tableUrl: string
}

/** Every table of tenants' data. A slice that keeps more adds its name here, and moving, export and deletion know it. */
export const tenantDataTables = ['content'] as const
export type TenantDataTable = (typeof tenantDataTables)[number]

export const tenantDataContainers = ['content'] as const
export type TenantDataContainer = (typeof tenantDataContainers)[number]

/**
 * Containers beside those for what is in the clear on its way: `incoming` from a client, `outgoing` to a model account. They belong
 * to a place and are emptied with it, but nothing in them moves.
 */
export const tenantTransitContainers = ['incoming', 'outgoing'] as const
export type TenantTransitContainer = (typeof tenantTransitContainers)[number]

/** Emptying a table takes longer than a move can wait for a write: `Places.empty` does it. */
export type TenantRows = Omit<PartitionTable<Columns>, 'removeAll' | 'removeRange'>

/** The rows are the tenant's in any place: their partition key is its id (I2), as it is the beginning of its blobs' names. */
export interface TenantContents {
  readonly tables: Readonly<Record<TenantDataTable, TenantRows>>
  readonly containers: Readonly<Record<TenantDataContainer, TenantBlobs>>
}

/**
 * Reads never wait. A write waits while a move of the tenant catches up, at most `FENCE_WAIT_MS`, and then throws the
 * `tenant_moving` problem; one that storage does not end within `WRITE_MS_MAX` is broken off, done or not.
 */
export interface TenantData {
  /** Where this instance remembers it: for `PLACE_KNOWN_EVERYWHERE_MS` after a move that may be the place that was left. */
  toRead(scope: TenantScope): Promise<TenantContents>
  /** Where it is by what storage says now: for what is read in order to be changed. */
  toChange(scope: TenantScope): Promise<TenantContents>
}
