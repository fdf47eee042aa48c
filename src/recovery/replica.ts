import type { StorageAccount } from '../storage/connect'
import { createPlaceStorage } from '../storage/place-contents'
import { ownPlaceOf, placeStorage } from '../storage/places'
import { platformTable } from '../storage/platform-table'
import type { DataPlace } from '../storage/tenant-data'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable, type Columns, type TenantTable } from '../storage/tenant-table'
import type { RowStore } from './replicate-rows'

/** Tables of the platform's own in which a tenant has rows that its models cannot do without. */
export type ReplicatedTable = 'datakeys' | 'sharedparts'

/** The storage account in the paired region. What is a tenant's there is told as here: by partition and prefix (I2). */
export interface Replica {
  /** Of the account. */
  readonly region: string
  /** The tenant's sealed records and blobs; `signal` breaks writes off. */
  content(scope: TenantScope, place: ReplicaPlace, signal?: AbortSignal): Promise<RowStore>
  table(scope: TenantScope, name: ReplicatedTable, signal?: AbortSignal): RowStore
  /** The platform's own ledger of shared models: ids and numbers, no examples. */
  readonly sharedModels: RowStore
  /** Can be repeated. */
  prepare(scope: TenantScope, place: ReplicaPlace): Promise<void>
  /** Deletes what the tenant has there, its keys first. */
  remove(scope: TenantScope): Promise<void>
  /** Deletes its sealed records but for those in `place`: its data is apart from others otherwise than it was. */
  removeBut(scope: TenantScope, place: ReplicaPlace): Promise<void>
  /** Its keys alone: what else it has there opens no more (I18). */
  shred(scope: TenantScope): Promise<void>
  census(scope: TenantScope): Promise<number>
  /** Makes the tables and containers that tenants share. */
  ensure(): Promise<void>
}

/** As apart from other tenants' as the data is in the first region. */
export type ReplicaPlace = 'logical' | 'container'
const everyPlace: readonly ReplicaPlace[] = ['logical', 'container']

const SHARED_MODELS = 'sharedmodels'

export function createReplica({ account, region }: { account: StorageAccount; region: string }): Replica {
  const places = createPlaceStorage({
    storage: account,
    tenantAccount: ({ resourceId }) => {
      throw new Error(`${resourceId} has no replica`)
    },
  })
  const tables: Readonly<Record<ReplicatedTable, TenantTable<Columns>>> = {
    datakeys: tenantTable(account.table('datakeys')),
    sharedparts: tenantTable(account.table('sharedparts')),
  }
  const placeOf = (scope: TenantScope, place: ReplicaPlace): DataPlace =>
    place === 'logical' ? { kind: 'logical' } : ownPlaceOf(scope)

  return {
    region,
    content: async (scope, place, signal) => {
      const contents = await places.contents(scope, placeOf(scope, place), signal)
      return { rows: contents.tables.content, blobs: contents.containers.content }
    },
    table: (scope, name, signal) => ({ rows: tables[name].partition(scope, signal) }),
    sharedModels: { rows: platformTable(account.table(SHARED_MODELS)) },
    prepare: (scope, place) => places.prepare(scope, placeOf(scope, place)),
    remove: async (scope) => {
      for (const table of Object.values(tables)) await table.removeAll(scope)
      for (const place of everyPlace) await places.empty(scope, placeOf(scope, place))
    },
    removeBut: async (scope, kept) => {
      for (const place of everyPlace) if (place !== kept) await places.empty(scope, placeOf(scope, place))
    },
    shred: async (scope) => {
      await tables.datakeys.removeAll(scope)
    },
    census: async (scope) => {
      const inPlaces = await Promise.all(everyPlace.map((place) => places.census(scope, placeOf(scope, place))))
      const inTables = await Promise.all(
        Object.keys(tables).map((name) => account.rowsInPartition(name, scope.tenantId)),
      )
      return [...inPlaces.flatMap((counts) => Object.values(counts)), ...inTables].reduce(
        (sum, count) => sum + count,
        0,
      )
    },
    ensure: () =>
      account.ensure({
        tables: ['content', SHARED_MODELS, ...Object.keys(tables)],
        containers: placeStorage.containers,
      }),
  }
}
