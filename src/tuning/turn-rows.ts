import { hash } from 'node:crypto'
import type { TenantId, TuningJobId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { askTurn, forgetTenant, leaveTurns, noTurns, type TurnBounds, type TurnState, type WaitingJob } from './turns'

/** Turns at accounts, one row for each, which all instances change by compare-and-swap. */
export interface TurnRows {
  /** True while the job has its turn; to be asked again before `againMs`. */
  take(accountId: string, asked: Omit<WaitingJob, 'sinceMs'>): Promise<boolean>
  /** A job that is not there is no error. */
  leave(accountId: string, jobId: TuningJobId): Promise<void>
  /** How many train or wait there. */
  busy(accountId: string): Promise<number>
  removeTenant(tenantId: TenantId): Promise<void>
  /** Of a tenant's jobs those that train or wait anywhere. */
  census(tenantId: TenantId): Promise<number>
}

const TABLE = 'tuningturns'
/** Rows are accounts', of which many tenants' jobs are in turn. */
export const turnStorage = { tables: [TABLE] } as const

const CHANGE_ATTEMPTS_MAX = 20
const PREFIX = 'acc-'
const HASH_CHARACTERS = 32

export function createTurnRows({
  rows,
  bounds,
  now,
}: {
  rows: PartitionTable<Columns>
  bounds: TurnBounds
  now: () => number
}): TurnRows {
  const change = async <Result>(
    rowKey: string,
    edit: (state: TurnState) => { readonly state: TurnState; readonly result: Result },
  ): Promise<Result> => {
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const row = await rows.get(rowKey)
      const before = row ? fromJsonColumns<TurnState>(row.columns) : noTurns
      const { state, result } = edit(before)
      if (state === before) return result
      const columns = toJsonColumns(state)
      const written = await (row ? rows.replace(rowKey, columns, row.etag) : rows.insert(rowKey, columns))
      if (written.kind === 'written') return result
    }
    throw new Error(`others are changing the turns of ${rowKey} at the moment`)
  }
  const all = async () => {
    const found: { rowKey: string; state: TurnState }[] = []
    for await (const { rowKey, columns } of rows.range(PREFIX, `${PREFIX}~`))
      found.push({ rowKey, state: fromJsonColumns<TurnState>(columns) })
    return found
  }
  return {
    take: (accountId, asked) =>
      change(rowKeyOf(accountId), (state) => {
        const { turns, hasTurn } = askTurn(state, { ...asked, nowMs: now() }, bounds)
        return { state: turns, result: hasTurn }
      }),
    leave: (accountId, jobId) =>
      change(rowKeyOf(accountId), (state) => ({
        state: leaveTurns(state, (entry) => entry.jobId === jobId),
        result: undefined,
      })),
    busy: async (accountId) => {
      const row = await rows.get(rowKeyOf(accountId))
      const { running, waiting } = row ? fromJsonColumns<TurnState>(row.columns) : noTurns
      return running.length + waiting.length
    },
    removeTenant: async (tenantId) => {
      for (const { rowKey } of await all())
        await change(rowKey, (state) => ({ state: forgetTenant(state, tenantId), result: undefined }))
    },
    census: async (tenantId) =>
      (await all())
        .flatMap(({ state: { running, waiting } }) => [...running, ...waiting])
        .filter((entry) => entry.tenantId === tenantId).length,
  }
}

/** ARM writes ids in any case, with characters that no row key takes. */
const rowKeyOf = (accountId: string) =>
  `${PREFIX}${hash('sha256', accountId.toLowerCase(), 'hex').slice(0, HASH_CHARACTERS)}`
