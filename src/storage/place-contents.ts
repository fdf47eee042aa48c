import type { TableClient } from '@azure/data-tables'
import type { ContainerClient } from '@azure/storage-blob'
import { assertNever } from '../base/assert'
import { storageStatus, type StorageAccount } from './connect'
import { partitionTable, type Columns, type PartitionTable } from './partition-table'
import { tenantBlobs, type TenantBlobs } from './tenant-blobs'
import {
  tenantDataContainers,
  tenantDataTables,
  tenantTransitContainers,
  type DataPlace,
  type TenantAccount,
  type TenantDataContainer,
  type TenantDataTable,
  type TenantTransitContainer,
} from './tenant-data'
import type { TenantScope } from './tenant-scope'
import { discardBlob, transitBlobs, type TransitBlobs, type TransitLink } from './transit-blobs'

/** What a tenant has in one place. */
export interface PlaceContents {
  readonly tables: Readonly<Record<TenantDataTable, PartitionTable<Columns>>>
  readonly containers: Readonly<Record<TenantDataContainer, TenantBlobs>>
}

export type PlaceTransit = Readonly<Record<TenantTransitContainer, TransitBlobs>>

/** The tables and containers of places: making, reaching, counting and deleting them. Knows nothing of who is where. */
export interface PlaceStorage {
  /** Can be repeated. */
  prepare(scope: TenantScope, place: DataPlace): Promise<void>
  /** Whoever aborts `signal` breaks writes off that are under way. */
  contents(scope: TenantScope, place: DataPlace, signal?: AbortSignal): Promise<PlaceContents>
  transit(scope: TenantScope, place: DataPlace): Promise<PlaceTransit>
  /** Deletes what the tenant has there: its own tables and containers whole, of shared ones its rows and blobs. */
  empty(scope: TenantScope, place: DataPlace): Promise<void>
  /** How many rows and blobs of the tenant are there, by table and container; only what is not empty. */
  census(scope: TenantScope, place: DataPlace): Promise<Readonly<Record<string, number>>>
}

export const containerNameOf = (name: PlaceContainer) => `tenant-${name}`
type PlaceContainer = TenantDataContainer | TenantTransitContainer

const everyContainer = [...tenantDataContainers, ...tenantTransitContainers]

export function createPlaceStorage({
  storage,
  tenantAccount,
}: {
  storage: StorageAccount
  tenantAccount: (account: TenantAccount) => StorageAccount | Promise<StorageAccount>
}): PlaceStorage {
  const clientsAt = async (place: DataPlace): Promise<Clients> =>
    place.kind === 'account'
      ? sharedNames(await tenantAccount(place.account))
      : place.kind === 'container'
        ? ownNames(storage, place.suffix)
        : sharedNames(storage)

  return {
    prepare: async (_, place) => {
      const { table, container } = await clientsAt(place)
      await Promise.all([
        ...tenantDataTables.map((name) => table(name).createTable()),
        ...everyContainer.map((name) => container(name).createIfNotExists()),
      ])
    },
    contents: async (scope, place, signal) => {
      const { table, container } = await clientsAt(place)
      return {
        tables: { content: partitionTable<Columns>(table('content'), scope.tenantId, signal) },
        containers: { content: tenantBlobs(container('content'), prefixOf(scope), signal) },
      }
    },
    transit: async (scope, place) => {
      const { container, sign } = await clientsAt(place)
      const prefix = prefixOf(scope)
      const blobsOf = (name: TenantTransitContainer) =>
        transitBlobs(container(name), {
          prefix,
          sign: (blob, link) => sign(name, blob, link),
          // Those that tenants share are made at every start.
          make: async () => place.kind === 'logical' || container(name).createIfNotExists(),
        })
      return { incoming: blobsOf('incoming'), outgoing: blobsOf('outgoing') }
    },
    empty: async (scope, place) => {
      const { table, container } = await clientsAt(place)
      switch (place.kind) {
        case 'logical':
          for (const name of tenantDataTables) await partitionTable(table(name), scope.tenantId).removeAll()
          for (const name of tenantDataContainers) await removeBlobs(container(name), prefixOf(scope))
          for (const name of tenantTransitContainers) await discardBlobs(container(name), prefixOf(scope))
          return
        case 'container':
        case 'account':
          for (const name of tenantDataTables) await missingIsFine(() => table(name).deleteTable())
          for (const name of everyContainer) await missingIsFine(() => container(name).deleteIfExists())
          return
        default:
          assertNever(place)
      }
    },
    census: async (scope, place) => {
      const { table, container } = await clientsAt(place)
      const counts: Record<string, number> = {}
      for (const name of tenantDataTables) {
        const count = await counted(partitionTable(table(name), scope.tenantId).range('', ABOVE_EVERY_ROW_KEY))
        if (count > 0) counts[`table ${name}`] = count
      }
      for (const name of everyContainer) {
        const count = await counted(container(name).listBlobsFlat({ prefix: prefixOf(scope), ...UNCOMMITTED_TOO }))
        if (count > 0) counts[`container ${name}`] = count
      }
      return counts
    },
  }
}

export const ABOVE_EVERY_ROW_KEY = '\uffff'

interface Clients {
  table(name: TenantDataTable): TableClient
  container(name: PlaceContainer): ContainerClient
  sign(name: TenantTransitContainer, blob: string, link: TransitLink): Promise<string>
}

/** In an account of the tenant's own the names are those that tenants share elsewhere. */
const sharedNames = (account: StorageAccount): Clients => ({
  table: (name) => account.table(name),
  container: (name) => account.container(containerNameOf(name)),
  sign: (name, blob, link) => account.signedBlob(containerNameOf(name), blob, link),
})

const ownNames = (account: StorageAccount, suffix: string): Clients => ({
  table: (name) => account.table(`${name}${suffix}`),
  container: (name) => account.container(`${containerNameOf(name)}-${suffix}`),
  sign: (name, blob, link) => account.signedBlob(`${containerNameOf(name)}-${suffix}`, blob, link),
})

/** In every place a blob's name begins with its tenant (I2). */
const prefixOf = ({ tenantId }: TenantScope) => `${tenantId}/`

async function removeBlobs(container: ContainerClient, prefix: string): Promise<void> {
  for await (const { name } of container.listBlobsFlat({ prefix })) await container.getBlobClient(name).deleteIfExists()
}

/** Blobs of which nothing was committed are there too. */
const UNCOMMITTED_TOO = { includeUncommitedBlobs: true } as const

async function discardBlobs(container: ContainerClient, prefix: string): Promise<void> {
  await missingIsFine(async () => {
    for await (const { name } of container.listBlobsFlat({ prefix, ...UNCOMMITTED_TOO }))
      await discardBlob(container.getBlockBlobClient(name))
  })
}

async function counted(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  try {
    for await (const item of items) count += item === undefined ? 0 : 1
  } catch (error) {
    if (storageStatus(error) !== 404) throw error
  }
  return count
}

async function missingIsFine(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    if (storageStatus(error) !== 404) throw error
  }
}
