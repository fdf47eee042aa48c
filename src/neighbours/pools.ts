import type { BackendId } from '../base/ids'
import type { TenantSnapshot } from '../tenants/snapshot'

/**
 * Backends that the same aliases of a tenant lead to, in whatever group: its calls move between them when one is full, so what it
 * asks of them is one figure, which spilling over does not change. Another tenant's aliases may divide the same backends
 * otherwise; who is in whose way is therefore found backend by backend.
 */
export interface Pool {
  /** The oldest backend of it, which names it as long as the aliases lead there. */
  readonly id: BackendId
  readonly backendIds: readonly BackendId[]
  readonly aliases: readonly string[]
}

/** Pure; in the order of their ids. No two have a backend in common. */
export function poolsOf({ aliases }: Pick<TenantSnapshot, 'aliases'>): readonly Pool[] {
  let pools: { backendIds: Set<BackendId>; aliases: string[] }[] = []
  for (const { name, groups } of Object.values(aliases)) {
    const backendIds = new Set(groups.flatMap(({ members }) => members.map(({ backendId }) => backendId)))
    if (backendIds.size === 0) continue
    const touched = pools.filter((pool) => !pool.backendIds.isDisjointFrom(backendIds))
    const joined = {
      backendIds: touched.reduce((all, pool) => all.union(pool.backendIds), backendIds),
      aliases: [...touched.flatMap((pool) => pool.aliases), name],
    }
    pools = [...pools.filter((pool) => !touched.includes(pool)), joined]
  }
  return pools.map(poolOf).sort((a, b) => (a.id < b.id ? -1 : 1))
}

function poolOf(found: { backendIds: ReadonlySet<BackendId>; aliases: readonly string[] }): Pool {
  const backendIds = [...found.backendIds].sort()
  const [id] = backendIds
  if (id === undefined) throw new Error('a pool has a backend')
  return { id, backendIds, aliases: found.aliases.toSorted() }
}
