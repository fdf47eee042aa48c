import { parseTenantId, type TenantId } from '../base/ids'
import type { Columns, PartitionTable } from '../storage/partition-table'

/**
 * Which tenants there are, for operators only: one of the few cross-tenant readers (I4). It holds ids and nothing else,
 * so it can never contradict a record. An id is entered before its record is made: one without a record is a creation
 * that got no further, and readers skip it.
 */
export interface TenantDirectory {
  add(tenantId: TenantId): Promise<void>
  remove(tenantId: TenantId): Promise<void>
  /** Up to `limit` ids after `after` in order of creation, and whether more follow. */
  page(page: { after?: TenantId | undefined; limit: number }): Promise<{ tenantIds: TenantId[]; more: boolean }>
}

/** Ids read at one time. */
const PAGE_IDS = 1_000

/** All of them behind `from`, read page by page as they are consumed: for timers that look after every tenant. */
export async function* everyTenant(
  directory: Pick<TenantDirectory, 'page'>,
  from?: TenantId,
): AsyncGenerator<TenantId> {
  let after = from
  for (;;) {
    const { tenantIds, more } = await directory.page({ after, limit: PAGE_IDS })
    yield* tenantIds
    after = tenantIds.at(-1)
    if (!more) return
  }
}

const FIRST = 'ten_'
/** Above every id, whose characters are lower-case letters and digits. */
const END = 'ten_~'
/** The least string above an id: a range begins with its lower end. */
const JUST_AFTER = '!'

export function createTenantDirectory(rows: PartitionTable<Columns>): TenantDirectory {
  return {
    add: (tenantId) => rows.put(tenantId, {}),
    remove: (tenantId) => rows.remove(tenantId),
    page: async ({ after, limit }) => {
      const tenantIds: TenantId[] = []
      for await (const { rowKey } of rows.range(after ? after + JUST_AFTER : FIRST, END)) {
        const tenantId = parseTenantId(rowKey)
        if (!tenantId) continue
        if (tenantIds.length === limit) return { tenantIds, more: true }
        tenantIds.push(tenantId)
      }
      return { tenantIds, more: false }
    },
  }
}
