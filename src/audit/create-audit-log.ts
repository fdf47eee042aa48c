import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { TenantTable } from '../storage/tenant-table'
import { emptyChain } from './audit-entry'
import type { AuditChain, AuditEntry, AuditLog } from './audit-log'
import { HEAD_ROW, readEntry, readHead, rowKeyOf } from './chain-rows'
import { createChainWriter, type ChainWriter } from './chain-writer'

/** Chains of which this instance remembers the end; the one used longest ago leaves first. */
const WRITERS_MAX = 2_000
const pageEntriesMax = 1_000

/** The audit log on table storage. An append is one transaction, and one read more where the chain's end is not known. */
export function createAuditLog({ tenantRows, platformRows, clock, chance }: AuditLogDeps): AuditLog {
  const writers = new Map<string, ChainWriter>()
  const rowsOf = (chain: AuditChain) => (chain === 'platform' ? platformRows : tenantRows.partition(chain))

  const writerOf = (chain: AuditChain): ChainWriter => {
    const id = chain === 'platform' ? chain : chain.tenantId
    const writer = writers.get(id) ?? createChainWriter({ rows: rowsOf(chain), clock, chance })
    // Deleting first moves it to the young end of the map's order.
    writers.delete(id)
    writers.set(id, writer)
    forgetOldest(writers)
    return writer
  }

  return {
    append: (chain, event) => writerOf(chain).append(event),
    page: async (chain, { after, limit }) => {
      const wanted = Math.min(limit, pageEntriesMax)
      const entries: AuditEntry[] = []
      // Numbers have no gaps, so that the range is the page.
      for await (const row of rowsOf(chain).range(rowKeyOf(after + 1), rowKeyOf(after + 1 + wanted)))
        entries.push(readEntry(row))
      return entries
    },
    head: async (chain) => {
      const row = await rowsOf(chain).get(HEAD_ROW)
      return row ? readHead(row) : emptyChain
    },
  }
}

export interface AuditLogDeps {
  readonly tenantRows: TenantTable<Columns>
  readonly platformRows: PartitionTable<Columns>
  readonly clock: Clock
  readonly chance: Chance
}

/** One that is busy stays: its waiting entries would be written all the same, but in a race against its successor. */
function forgetOldest(writers: Map<string, ChainWriter>): void {
  if (writers.size <= WRITERS_MAX) return
  for (const [id, writer] of writers) {
    if (!writer.isIdle()) continue
    writers.delete(id)
    return
  }
}
