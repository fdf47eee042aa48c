import { parseTenantId, type TenantId } from '../base/ids'
import type { Columns, PartitionTable } from '../storage/partition-table'

/**
 * What the timer remembers of all tenants together: which of them have to be looked at although nobody called, and up to when every
 * tenant with usage has been looked at. One of the few readers across tenants (I4), of ids alone.
 */
export interface WatchedTenants {
  /** Before anything is written that needs another look: one that is noted for nothing costs a look. */
  note(tenantId: TenantId): Promise<void>
  forget(tenantId: TenantId): Promise<void>
  /** In order of id, read page by page. */
  all(): AsyncIterable<TenantId>
  lookedUpToMs(): Promise<number | undefined>
  /** Never goes back. */
  lookedUpTo(ms: number): Promise<void>
  /** Whether every tenant's report of the month is frozen. */
  isFrozen(month: string): Promise<boolean>
  frozen(month: string): Promise<void>
}

const WATCHED = '-watched'
const MARK = 'looked-up-to'
const FROZEN = 'frozen-'

export function createWatchedTenants(rows: PartitionTable<Columns>): WatchedTenants {
  const lookedUpToMs = async () => {
    const ms = (await rows.get(MARK))?.columns['ms']
    return typeof ms === 'string' ? Number(ms) : undefined
  }
  return {
    // The key begins with the tenant, so that a sweep finds it (I2).
    note: (tenantId) => rows.put(tenantId + WATCHED, {}),
    forget: (tenantId) => rows.remove(tenantId + WATCHED),
    all: async function* () {
      for await (const { rowKey } of rows.range('ten_', 'ten_~')) {
        const tenantId = rowKey.endsWith(WATCHED) ? parseTenantId(rowKey.slice(0, -WATCHED.length)) : undefined
        if (tenantId) yield tenantId
      }
    },
    lookedUpToMs,
    lookedUpTo: async (ms) => {
      // As text, since the SDK stores a number beyond 32 bits as a double. Two at once differ by seconds, which the next run makes up.
      if (ms > ((await lookedUpToMs()) ?? 0)) await rows.put(MARK, { ms: String(ms) })
    },
    isFrozen: async (month) => (await rows.get(FROZEN + month)) !== undefined,
    frozen: (month) => rows.put(FROZEN + month, {}),
  }
}
