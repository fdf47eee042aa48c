import { Problem } from '../base/problem'
import { parseTenantId, type TenantId } from '../base/ids'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'

/** Which Entra directories belong to which tenant: a directory to one tenant at most. */
export interface Directories {
  /** Again for the same tenant it changes nothing; another tenant's directory is a `conflict`, and so is one beyond `DIRECTORIES_MAX`. */
  link(scope: TenantScope, directoryId: string): Promise<Problem | undefined>
  unlink(scope: TenantScope, directoryId: string): Promise<void>
  list(scope: TenantScope): Promise<readonly { readonly directoryId: string }[]>
  /** For `access` alone, which asks for the directory of a verified token. */
  tenantOf(directoryId: string): Promise<TenantId | undefined>
}

/** A tenant is one company: its own directory, and those of parts of it. Two links at once may pass it by one. */
export const DIRECTORIES_MAX = 50

export const directoryStorage = { tables: ['directories'] } as const

/** The index row says whose a directory is, by compare-and-swap; the tenant's own row only lists it. */
export function createDirectories({
  index,
  rows,
}: {
  index: PartitionTable<Columns>
  rows: TenantTable<Columns>
}): Directories {
  const tenantOf = async (directoryId: string) => {
    const tenantId = (await index.get(directoryId))?.columns['tenantId']
    return typeof tenantId === 'string' ? parseTenantId(tenantId) : undefined
  }
  const list = async (scope: TenantScope) => {
    const found: { directoryId: string }[] = []
    for await (const { rowKey } of rows.range(scope, '', '~')) found.push({ directoryId: rowKey })
    return found
  }
  return {
    tenantOf,
    link: async (scope, directoryId) => {
      const others = (await list(scope)).filter((linked) => linked.directoryId !== directoryId)
      if (others.length >= DIRECTORIES_MAX)
        return new Problem('conflict', `A tenant has at most ${DIRECTORIES_MAX} directories. Unlink one first.`)
      const result = await index.insert(directoryId, { tenantId: scope.tenantId })
      if (result.kind === 'lost-race' && (await tenantOf(directoryId)) !== scope.tenantId)
        // It does not say whose: that is nobody's business.
        return new Problem('conflict', 'This directory cannot be linked: it is linked already.')
      await rows.put(scope, directoryId, {})
      return undefined
    },
    unlink: async (scope, directoryId) => {
      if ((await tenantOf(directoryId)) === scope.tenantId) await index.remove(directoryId)
      await rows.remove(scope, directoryId)
    },
    list,
  }
}
