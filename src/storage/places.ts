import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import { createStaleCache } from '../base/stale-cache'
import { describeError, type Log } from '../base/log'
import type { TenantId } from '../base/ids'
import type { StorageAccount } from './connect'
import { fromJsonColumns, toJsonColumns } from './json-columns'
import type { Columns } from './partition-table'
import { containerNameOf, createPlaceStorage, type PlaceContents, type PlaceStorage } from './place-contents'
import {
  tenantDataContainers,
  tenantDataTables,
  tenantTransitContainers,
  type DataPlace,
  type TenantAccount,
  type TenantContents,
  type TenantData,
} from './tenant-data'
import { TenantScope } from './tenant-scope'
import type { TenantTable } from './tenant-table'
import { createWriteGate, within, WRITE_MS_MAX, writingBlobs, writingRows } from './write-gate'

/**
 * Where tenants' data lies, and the steps of taking it elsewhere. Invariants:
 * P1 Nothing is written in a place that was left: whoever writes has read the place from storage at most `WRITE_MS_MAX` before,
 *    and a move's last copy begins so long after its fence and ends, with the switch, within it.
 * P2 A place that was left is emptied only when no instance reads there any more.
 * P3 One move of a tenant at a time.
 */
export interface Places extends TenantData, PlaceStorage {
  get(scope: TenantScope): Promise<DataPlace>
  /** For a tenant that has no data yet; one that has is moved. */
  set(scope: TenantScope, place: DataPlace): Promise<void>
  /** Takes the tenant for one move; the same again for the same operation. Undefined while another move has it. */
  beginMove(scope: TenantScope, move: Pick<Move, 'operationId' | 'to'>): Promise<Move | undefined>
  /** The move that the operation has begun and not ended. */
  move(scope: TenantScope, operationId: string): Promise<Move | undefined>
  /** Until `untilMs` (Unix milliseconds) writes of the tenant's data wait; they are over `WRITE_MS_MAX` after this. */
  fence(scope: TenantScope, operationId: string, untilMs: number): Promise<void>
  /**
   * From now on writes go to the new place, and on every instance within `PLACE_KNOWN_EVERYWHERE_MS` reads too. Lifts the
   * fence. Throws, and switches nothing, unless the fence holds for a while yet.
   */
  switchOver(scope: TenantScope, operationId: string): Promise<void>
  /** Lets other moves begin, and lifts the fence. */
  endMove(scope: TenantScope, operationId: string): Promise<void>
  /** Forgets the tenant's place altogether. */
  forget(scope: TenantScope): Promise<void>
}

export type { PlaceContents }

export interface Move {
  readonly operationId: string
  readonly from: DataPlace
  readonly to: DataPlace
  /** Unix milliseconds; writes wait until then. */
  readonly fencedUntilMs?: number | undefined
  /** Unix milliseconds; undefined until then. */
  readonly switchedAt?: number
}

export const placeStorage = {
  tables: ['tenantplaces', ...tenantDataTables],
  containers: [...tenantDataContainers, ...tenantTransitContainers].map(containerNameOf),
} as const

/** What is stored of a tenant's place. Changed by compare-and-swap only. */
export interface PlaceRecord {
  readonly place: DataPlace
  readonly move?: Move | undefined
}

const ROW = 'place'
const LOGICAL: PlaceRecord = { place: { kind: 'logical' } }
const FRESH_MS = 5_000
const STALE_MS = 25_000
/** After this no instance reads in the place that was left: `STALE_MS` and the reads that began then. */
export const PLACE_KNOWN_EVERYWHERE_MS = 35_000
const TENANTS_MAX = 20_000
const CHANGE_ATTEMPTS_MAX = 5
/** What instances' clocks may differ by. */
const CLOCKS_APART_MS = 5_000
/** Must be left of the fence when the switch is written. */
const SWITCH_MARGIN_MS = WRITE_MS_MAX + CLOCKS_APART_MS

/** A tenant's own tables and containers carry its id's characters. */
export const ownPlaceOf = ({ tenantId }: TenantScope): DataPlace => ({
  kind: 'container',
  suffix: tenantId.slice('ten_'.length),
})

const noTenantAccounts = ({ resourceId }: TenantAccount) => {
  throw new Error(`${resourceId} is not reached: this installation makes no storage accounts for tenants`)
}

export function createPlaces({
  storage,
  tenantAccount = noTenantAccounts,
  rows,
  clock,
  log,
}: {
  storage: StorageAccount
  /** Connects to a storage account of a tenant's own; absent where the installation makes none. */
  tenantAccount?: (account: TenantAccount) => StorageAccount | Promise<StorageAccount>
  rows: TenantTable<Columns>
  clock: Clock
  log: Log
}): Places {
  const stores = createPlaceStorage({ storage, tenantAccount })
  const stored = async (scope: TenantScope) => {
    const row = await rows.get(scope, ROW)
    return { etag: row?.etag, record: row ? fromJsonColumns<PlaceRecord>(row.columns) : LOGICAL }
  }
  const read = async (scope: TenantScope) => (await stored(scope)).record
  const known = createStaleCache<TenantId, PlaceRecord>({
    clock,
    load: (tenantId) => read(TenantScope.ofCaller({ tenantId })),
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    entriesMax: TENANTS_MAX,
    onError: (error) => log.warn('a tenant’s place could not be read again', { error: describeError(error) }),
  })
  const change = async (scope: TenantScope, to: (record: PlaceRecord) => PlaceRecord) => {
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const { etag, record } = await stored(scope)
      const next = to(record)
      if (next === record) return next
      const result = await within(clock, WRITE_MS_MAX, (signal) => {
        const row = rows.partition(scope, signal)
        const columns = toJsonColumns(next)
        return etag === undefined ? row.insert(ROW, columns) : row.replace(ROW, columns, etag)
      })
      known.forget(scope.tenantId)
      if (result.kind === 'written') return next
    }
    throw new Error('others are changing this tenant’s place at the moment')
  }
  const changeMove = (scope: TenantScope, operationId: string, to: (move: Move) => Partial<PlaceRecord>) =>
    change(scope, (record) => {
      assert(record.move?.operationId === operationId, 'a move is changed by its own operation')
      return { ...record, ...to(record.move) }
    })
  const gate = createWriteGate({ read, contents: stores.contents, clock })
  const readingIn = async (scope: TenantScope, place: DataPlace): Promise<TenantContents> => {
    const { tables, containers } = await stores.contents(scope, place)
    return {
      tables: { content: writingRows(tables.content, (write) => gate(scope, (there) => write(there.tables.content))) },
      containers: {
        content: writingBlobs(containers.content, (write) => gate(scope, (there) => write(there.containers.content))),
      },
    }
  }

  return {
    ...stores,
    toRead: async (scope) => readingIn(scope, (await known.get(scope.tenantId)).place),
    toChange: async (scope) => readingIn(scope, (await read(scope)).place),
    get: async (scope) => (await read(scope)).place,
    set: async (scope, place) => {
      await change(scope, (record) => ({ ...record, place }))
    },
    beginMove: async (scope, { operationId, to }) => {
      const { move } = await change(scope, (record) =>
        record.move ? record : { ...record, move: { operationId, from: record.place, to } },
      )
      return move?.operationId === operationId ? move : undefined
    },
    move: async (scope, operationId) => {
      const { move } = await read(scope)
      return move?.operationId === operationId ? move : undefined
    },
    fence: async (scope, operationId, untilMs) => {
      await changeMove(scope, operationId, (move) => ({ move: { ...move, fencedUntilMs: untilMs } }))
    },
    switchOver: async (scope, operationId) => {
      await changeMove(scope, operationId, ({ fencedUntilMs = 0, ...move }) => {
        if (clock.now() + SWITCH_MARGIN_MS > fencedUntilMs)
          throw new Error('the fence ends too soon: another write could come in before the switch')
        return { place: move.to, move: { ...move, switchedAt: clock.now() } }
      })
    },
    endMove: async (scope, operationId) => {
      await change(scope, (record) => (record.move?.operationId === operationId ? { place: record.place } : record))
    },
    forget: async (scope) => {
      await rows.removeAll(scope)
      known.forget(scope.tenantId)
    },
  }
}
