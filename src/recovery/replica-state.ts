import type { TenantId } from '../base/ids'
import { parseTenantId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import type { TenantsRows } from '../storage/tenants-rows'
import type { LeftOut } from './left-out'
import type { ReplicaPlace } from './replica'

/** How far a tenant's replica is. Times are Unix milliseconds. */
export interface ReplicaState {
  /** Where in the paired account it is; undefined where nothing is. */
  readonly place?: ReplicaPlace | undefined
  readonly leftOut?: LeftOut | undefined
  /** The pass that is under way, and where it goes on. */
  readonly pass?: ReplicaPass | undefined
  /** When the last whole pass began: what was so before, is so there. */
  readonly fullAtMs?: number | undefined
  /** Since when the tenant is to have a replica: its lag counts from then until the first pass is whole. */
  readonly sinceMs: number
  /** Sealed records in the replica, by the last whole pass. */
  readonly records: number
}

export interface ReplicaPass {
  readonly sinceMs: number
  readonly cursor: string
  readonly records: number
  readonly copied: number
  readonly gone: number
}

export interface ReplicaStates {
  get(scope: TenantScope): Promise<{ readonly state: ReplicaState; readonly etag: string } | undefined>
  /** The row's new tag; undefined where somebody else has written it meanwhile, who goes on in place of the caller. */
  put(scope: TenantScope, state: ReplicaState, etag: string | undefined): Promise<string | undefined>
  remove(scope: TenantScope): Promise<void>
  /** Of every tenant (I4): figures alone. */
  every(): AsyncIterable<{ readonly tenantId: TenantId; readonly state: ReplicaState }>
  run(): Promise<ReplicationRun | undefined>
  putRun(run: ReplicationRun): Promise<void>
}

/** The platform's own: where the timer goes on. */
export interface ReplicationRun {
  readonly atMs: number
  /** The last tenant of a run whose time was over. */
  readonly behind?: TenantId | undefined
  /** When the ledger of shared models was last copied. */
  readonly sharedAtMs?: number | undefined
}

export const recoveryStorage = { tables: ['recovery'] } as const

const ROW = 'replica'
const RUN = 'run'

export function createReplicaStates({
  rows,
  platformRows,
  everyRow,
}: {
  rows: TenantTable<Columns>
  platformRows: PartitionTable<Columns>
  everyRow: TenantsRows
}): ReplicaStates {
  return {
    get: async (scope) => {
      const row = await rows.get(scope, ROW)
      return row && { state: fromJsonColumns<ReplicaState>(row.columns), etag: row.etag }
    },
    put: async (scope, state, etag) => {
      const columns = toJsonColumns(state)
      const result = await (etag === undefined
        ? rows.insert(scope, ROW, columns)
        : rows.replace(scope, ROW, columns, etag))
      return result.kind === 'written' ? result.etag : undefined
    },
    remove: (scope) => rows.remove(scope, ROW),
    async *every() {
      for await (const { tenantId: text, columns } of everyRow(ROW)) {
        const tenantId = parseTenantId(text)
        if (tenantId) yield { tenantId, state: fromJsonColumns<ReplicaState>(columns) }
      }
    },
    run: async () => {
      const row = await platformRows.get(RUN)
      return row && fromJsonColumns<ReplicationRun>(row.columns)
    },
    putRun: (run) => platformRows.put(RUN, toJsonColumns(run)),
  }
}
