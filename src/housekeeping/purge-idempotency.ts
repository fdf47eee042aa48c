/** Walks over tenants, on behalf of each by itself (I4). */
import type { TenantId } from '../base/ids'
import type { Clock } from '../base/clock'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, PartitionTable, Row } from '../storage/partition-table'
import type { TenantTable } from '../storage/tenant-table'
import type { Purge, PurgeTurn } from './purge'

export interface PurgeIdempotencyDeps {
  readonly rows: TenantTable<Columns>
  readonly platformRows: PartitionTable<Columns>
  /** When a row was begun, Unix milliseconds. */
  readonly begunAt: (columns: Columns) => number
  /** In the order of their ids. */
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly keptMs: number
  readonly clock: Clock
}

/** Behind every key of a row, which is a hash in hex. */
const END = '~'
/** Stands for the platform's own partition, which comes before every tenant's. */
const OPERATORS = 'operators'

/** Answers to creations that nobody can repeat any more under the same key: operators' first, then those of one tenant after another. */
export function purgeIdempotency(deps: PurgeIdempotencyDeps): Purge {
  const { rows, platformRows, tenantIds } = deps
  return {
    id: 'idempotency',
    run: async (turn) => {
      let position = turn.position
      let count = 0
      if (position === undefined) {
        count += await purgePartition(deps, platformRows, turn)
        position = OPERATORS
      }
      const after = position
      for await (const tenantId of tenantIds()) {
        if (after !== OPERATORS && tenantId <= after) continue
        // Whose rows were not all looked at comes first the next time.
        if (count >= turn.countMax || turn.isOver()) return { count, position }
        const partition = rows.partition(TenantScope.ofPlatform(tenantId))
        count += await purgePartition(deps, partition, { ...turn, countMax: turn.countMax - count })
        position = tenantId
      }
      return { count, position: undefined }
    },
  }
}

async function purgePartition(
  { begunAt, keptMs, clock }: PurgeIdempotencyDeps,
  partition: PartitionTable<Columns>,
  { dry, countMax }: Pick<PurgeTurn, 'dry' | 'countMax'>,
): Promise<number> {
  const overBefore = clock.now() - keptMs
  const isOver = ({ columns }: Row<Columns>) => begunAt(columns) < overBefore
  let count = 0
  for await (const row of partition.range('', END)) {
    if (!isOver(row)) continue
    // By its tag: one that is begun anew at this moment stays.
    if (!dry) await partition.remove(row.rowKey, row.etag)
    if (++count >= countMax) break
  }
  return count
}
