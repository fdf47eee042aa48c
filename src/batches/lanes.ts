import type { BackendId, BatchId, TenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import {
  askTurn,
  emptyLane,
  forgetTenant,
  leaveLane,
  type LaneBounds,
  type LaneState,
  type TurnAsked,
} from './lane-state'

/** Whose turn it is at each batch deployment, over all app instances: one row a deployment, changed by compare-and-swap. */
export interface Lanes {
  /** True once the batch has its turn, and for as long as it has it; it asks again in time, which also keeps its place. */
  take(backendId: BackendId, asked: TurnRequest): Promise<boolean>
  /** Gives back its turn, or its place; without either nothing changes. */
  leave(backendId: BackendId, batchId: BatchId): Promise<void>
  /** Of the tenant, at every deployment; how many batches they were. */
  removeTenant(tenantId: TenantId): Promise<void>
  census(tenantId: TenantId): Promise<number>
}

/** `againMs`: Unix milliseconds by which it asks again, or is taken to be gone. */
export type TurnRequest = Omit<TurnAsked, 'nowMs'>

const TABLE = 'batchlanes'

/** Rows of the platform, named by the backend. */
export const laneStorage = { tables: [TABLE] } as const

const CHANGE_ATTEMPTS_MAX = 30

export function createLanes({
  rows,
  bounds,
  now,
}: {
  rows: PartitionTable<Columns>
  bounds: LaneBounds
  now: () => number
}): Lanes {
  const change = async <Result>(
    backendId: string,
    edit: (state: LaneState) => { readonly state: LaneState; readonly result: Result },
  ): Promise<Result> => {
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const row = await rows.get(backendId)
      const before = row ? fromJsonColumns<LaneState>(row.columns) : emptyLane
      const { state, result } = edit(before)
      if (state === before) return result
      const columns = toJsonColumns(state)
      const written = await (row ? rows.replace(backendId, columns, row.etag) : rows.insert(backendId, columns))
      if (written.kind === 'written') return result
    }
    throw new Error(`others are changing the lane of ${backendId} at the moment`)
  }
  const all = async () => {
    const lanes: { backendId: string; state: LaneState }[] = []
    for await (const { rowKey, columns } of rows.range('bke_', 'bke_~'))
      lanes.push({ backendId: rowKey, state: fromJsonColumns<LaneState>(columns) })
    return lanes
  }
  return {
    take: (backendId, asked) =>
      change(backendId, (state) => {
        const { lane, hasTurn } = askTurn(state, { ...asked, nowMs: now() }, bounds)
        return { state: lane, result: hasTurn }
      }),
    leave: (backendId, batchId) =>
      change(backendId, (state) => ({
        state: leaveLane(state, ({ batchId: id }) => id === batchId),
        result: undefined,
      })),
    removeTenant: async (tenantId) => {
      for (const { backendId } of await all())
        await change(backendId, (state) => ({ state: forgetTenant(state, tenantId), result: undefined }))
    },
    census: async (tenantId) =>
      (await all())
        .flatMap(({ state: { running, waiting } }) => [...running, ...waiting])
        .filter((entry) => entry.tenantId === tenantId).length,
  }
}
