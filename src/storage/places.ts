import type { TableClient } from '@azure/data-tables'
import type { ContainerClient } from '@azure/storage-blob'
import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import { Problem, ProblemError } from '../base/problem'
import { createStaleCache } from '../base/stale-cache'
import { describeError, type Log } from '../base/log'
import type { TenantId } from '../base/ids'
import { storageStatus, type StorageAccount } from './connect'
import { fromJsonColumns, toJsonColumns } from './json-columns'
import { partitionTable, type Columns, type PartitionTable } from './partition-table'
import {
  tenantDataContainers,
  tenantDataTables,
  type DataPlace,
  type TenantBlobs,
  type TenantData,
  type TenantDataContainer,
  type TenantDataTable,
} from './tenant-data'
import { TenantScope } from './tenant-scope'
import type { TenantTable } from './tenant-table'

/** Where tenants' data lies, and the making and emptying of places. */
export interface Places extends TenantData {
  get(scope: TenantScope): Promise<DataPlace>
  /** Makes the tables and containers that the place needs. */
  prepare(scope: TenantScope, place: DataPlace): Promise<void>
  /** From now on, and on every instance within 30 s, the tenant's data is there. Lifts a fence. */
  set(scope: TenantScope, place: DataPlace): Promise<void>
  /** Until `untilMs` (Unix milliseconds) whoever would write there is refused with a retryable problem; readers read on. */
  fence(scope: TenantScope, untilMs: number): Promise<void>
  /** For one move at a time; false when another has the tenant. */
  reserve(scope: TenantScope, operationId: string): Promise<boolean>
  release(scope: TenantScope, operationId: string): Promise<void>
  /** When the place was last set; Unix milliseconds, 0 for never. */
  switchedAt(scope: TenantScope): Promise<number>
  /** Deletes what the tenant has there: its own tables and containers whole, of shared ones its rows and blobs. */
  empty(scope: TenantScope, place: DataPlace): Promise<void>
  /** How many rows and blobs of the tenant are there, by table and container; only what is not empty. */
  census(scope: TenantScope, place: DataPlace): Promise<Readonly<Record<string, number>>>
  /** The tenant's tables and containers in a given place, for copying between two. */
  at(scope: TenantScope, place: DataPlace): Promise<PlaceContents>
  /** Forgets the tenant's place altogether. */
  forget(scope: TenantScope): Promise<void>
}

export interface PlaceContents {
  readonly tables: Readonly<Record<TenantDataTable, PartitionTable<Columns>>>
  readonly containers: Readonly<Record<TenantDataContainer, TenantBlobs>>
}

export const placeStorage = {
  tables: ['tenantplaces', ...tenantDataTables],
  containers: tenantDataContainers.map((name) => `tenant-${name}`),
} as const

interface PlaceRecord {
  readonly place: DataPlace
  readonly fencedUntilMs?: number
  /** The move that has the tenant, one at a time. */
  readonly movedBy?: string | undefined
  /** Unix milliseconds. */
  readonly switchedAt?: number
}

const ROW = 'place'
const LOGICAL: PlaceRecord = { place: { kind: 'logical' } }
/** Beyond these another instance may still use the place that was left: what is left is emptied later than that. */
const FRESH_MS = 5_000
const STALE_MS = 25_000
const TENANTS_MAX = 20_000

/** A tenant's own tables and containers carry its id's characters. */
export const ownPlaceOf = ({ tenantId }: TenantScope): DataPlace => ({
  kind: 'container',
  suffix: tenantId.slice('ten_'.length),
})

export function createPlaces({
  storage,
  rows,
  clock,
  log,
}: {
  storage: StorageAccount
  rows: TenantTable<Columns>
  clock: Clock
  log: Log
}): Places {
  const known = createStaleCache<TenantId, PlaceRecord>({
    clock,
    load: async (tenantId) => {
      const row = await rows.get(TenantScope.ofCaller({ tenantId }), ROW)
      return row ? fromJsonColumns<PlaceRecord>(row.columns) : LOGICAL
    },
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    entriesMax: TENANTS_MAX,
    onError: (error) => log.warn('a tenant’s place could not be read again', { error: describeError(error) }),
  })
  const write = async (scope: TenantScope, record: PlaceRecord) => {
    await rows.put(scope, ROW, toJsonColumns(record))
    known.forget(scope.tenantId)
  }
  const read = async (scope: TenantScope) => {
    const row = await rows.get(scope, ROW)
    return row ? fromJsonColumns<PlaceRecord>(row.columns) : LOGICAL
  }
  const clientsAt = (place: DataPlace) => clientsOf(storage, place)
  const partition = (scope: TenantScope, table: TableClient) => partitionTable<Columns>(table, scope.tenantId)

  return {
    table: async (scope, name) => {
      const { place } = await known.get(scope.tenantId)
      const readable = partition(scope, clientsAt(place).table(name))
      return writingTo(readable, async () => {
        const record = await read(scope)
        assertOpen(record, clock)
        return partition(scope, clientsAt(record.place).table(name))
      })
    },
    blobs: async (scope, name) => {
      const { place } = await known.get(scope.tenantId)
      const { container } = clientsAt(place)
      return { client: container(name), prefix: prefixIn(place, scope) }
    },
    get: async (scope) => (await read(scope)).place,
    set: async (scope, place) => {
      const { movedBy } = await read(scope)
      await write(scope, { place, movedBy, switchedAt: clock.now() })
    },
    fence: async (scope, untilMs) => write(scope, { ...(await read(scope)), fencedUntilMs: untilMs }),
    reserve: async (scope, operationId) => {
      const record = await read(scope)
      if (record.movedBy !== undefined && record.movedBy !== operationId) return false
      await write(scope, { ...record, movedBy: operationId })
      return true
    },
    release: async (scope, operationId) => {
      const { movedBy, ...record } = await read(scope)
      if (movedBy === operationId) await write(scope, record)
    },
    switchedAt: async (scope) => (await read(scope)).switchedAt ?? 0,
    forget: async (scope) => {
      await rows.removeAll(scope)
      known.forget(scope.tenantId)
    },
    prepare: async (_, place) => {
      const { table, container } = clientsAt(place)
      await Promise.all([
        ...tenantDataTables.map((name) => table(name).createTable()),
        ...tenantDataContainers.map((name) => container(name).createIfNotExists()),
      ])
    },
    at: async (scope, place) => {
      const { table, container } = clientsAt(place)
      const prefix = prefixIn(place, scope)
      return {
        tables: { content: partition(scope, table('content')) },
        containers: { content: { client: container('content'), prefix } },
      }
    },
    empty: async (scope, place) => {
      const { table, container } = clientsAt(place)
      if (place.kind === 'logical') {
        for (const name of tenantDataTables) await partition(scope, table(name)).removeAll()
        for (const name of tenantDataContainers) await removeBlobs(container(name), prefixIn(place, scope))
        return
      }
      for (const name of tenantDataTables) await missingIsFine(() => table(name).deleteTable())
      for (const name of tenantDataContainers) await missingIsFine(() => container(name).deleteIfExists())
    },
    census: async (scope, place) => {
      const { table, container } = clientsAt(place)
      const counts: Record<string, number> = {}
      for (const name of tenantDataTables) {
        const count = await counted(partition(scope, table(name)).range('', '￿'))
        if (count > 0) counts[`table ${name}`] = count
      }
      for (const name of tenantDataContainers) {
        const count = await counted(container(name).listBlobsFlat({ prefix: prefixIn(place, scope) }))
        if (count > 0) counts[`container ${name}`] = count
      }
      return counts
    },
  }
}

interface Clients {
  table(name: TenantDataTable): TableClient
  container(name: TenantDataContainer): ContainerClient
}

function clientsOf(account: StorageAccount, place: DataPlace): Clients {
  switch (place.kind) {
    case 'logical':
      return { table: (name) => account.table(name), container: (name) => account.container(`tenant-${name}`) }
    case 'container':
      return {
        table: (name) => account.table(`${name}${place.suffix}`),
        container: (name) => account.container(`tenant-${name}-${place.suffix}`),
      }
    default:
      return assertNever(place)
  }
}

/** In every place a blob's name begins with its tenant (I2). */
const prefixIn = (_: DataPlace, { tenantId }: TenantScope) => `${tenantId}/`

function assertOpen({ fencedUntilMs = 0 }: PlaceRecord, clock: Clock): void {
  const retryAfterMs = fencedUntilMs - clock.now()
  if (retryAfterMs <= 0) return
  const text = 'This tenant’s data is being moved. Reading works; repeat the change in a moment.'
  throw new ProblemError(new Problem('tenant_moving', text, { retryAfterMs }))
}

/** Writes ask storage, not the cache, for the place: one to a place that was left would be lost. */
function writingTo(
  readable: PartitionTable<Columns>,
  writable: () => Promise<PartitionTable<Columns>>,
): PartitionTable<Columns> {
  return {
    get: readable.get,
    range: readable.range,
    insert: async (...args) => (await writable()).insert(...args),
    replace: async (...args) => (await writable()).replace(...args),
    put: async (...args) => (await writable()).put(...args),
    remove: async (...args) => (await writable()).remove(...args),
    change: async (...args) => (await writable()).change(...args),
    removeAll: async () => (await writable()).removeAll(),
  }
}

async function removeBlobs(container: ContainerClient, prefix: string): Promise<void> {
  for await (const { name } of container.listBlobsFlat({ prefix })) await container.deleteBlob(name)
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
