/** Walks over tenants, on behalf of each by itself (I4). */
import type { TenantId } from '../base/ids'
import type { Clock } from '../base/clock'
import { inParallel } from '../base/in-parallel'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, PartitionTable, Row } from '../storage/partition-table'
import type { TenantTable } from '../storage/tenant-table'
import type { Purge } from './purge'

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

/** Tenants whose rows are looked through side by side. */
const TENANTS_AT_ONCE = 8
/** Behind every key of a row, which is a hash in hex. */
const END = '~'
/** Stands for the platform's own partition, which comes before every tenant's. */
const OPERATORS = 'operators'

/** Answers to creations that nobody can repeat any more under the same key: operators' first, then those of one tenant after another. */
export function purgeIdempotency(deps: PurgeIdempotencyDeps): Purge {
  const { rows, platformRows, tenantIds } = deps
  return {
    id: 'idempotency',
    run: async ({ dry, position: begun, countMax, isOver }) => {
      const room = { left: countMax }
      let position = begun
      if (position === undefined) {
        await purgePartition(deps, platformRows, { dry, room })
        position = OPERATORS
      }
      const after = position
      let few: TenantId[] = []
      /** Whether all of their rows were looked at. */
      const purgeFew = async () => {
        let isWhole = true
        await inParallel(few, TENANTS_AT_ONCE, async (tenantId) => {
          const partition = rows.partition(TenantScope.ofPlatform(tenantId))
          if (!(await purgePartition(deps, partition, { dry, room }))) isWhole = false
        })
        // What a dry run counted is still there, and would be counted again.
        if (isWhole || dry) position = few.at(-1) ?? position
        few = []
        return isWhole
      }
      for await (const tenantId of tenantIds()) {
        if (after !== OPERATORS && tenantId <= after) continue
        if (few.push(tenantId) < TENANTS_AT_ONCE) continue
        // Those whose rows were not all looked at come first the next time.
        if (!(await purgeFew()) || isOver()) return { count: countMax - room.left, position }
      }
      const isWhole = await purgeFew()
      return { count: countMax - room.left, position: isWhole ? undefined : position }
    },
  }
}

/** Whether there was room for all that is over. */
async function purgePartition(
  { begunAt, keptMs, clock }: PurgeIdempotencyDeps,
  partition: PartitionTable<Columns>,
  { dry, room }: { dry: boolean; room: { left: number } },
): Promise<boolean> {
  const overBefore = clock.now() - keptMs
  const isOver = ({ columns }: Row<Columns>) => begunAt(columns) < overBefore
  for await (const row of partition.range('', END)) {
    if (!isOver(row)) continue
    if (room.left <= 0) return false
    room.left -= 1
    // By its tag: one that is begun anew at this moment stays.
    if (!dry) await partition.remove(row.rowKey, row.etag)
  }
  return true
}
