import type { TenantId } from '../base/ids'

/** Whose a cell is: a tenant's, nobody's who is known, or all those together who have none of their own. */
export type Owner = TenantId | 'none' | 'other'

/** Cells are told apart by more than the tenant, so a tenant can have several; one takes about a kilobyte until it is collected. */
const CELLS_HELD_MAX = 2_000
/** Tenants that metrics name, those with the most calls since the last collection; each name is a time series that somebody pays for. */
export const TENANTS_NAMED_MAX = 50

interface Cell<Kind> {
  readonly owner: Owner
  readonly kind: Kind
  /** What it has counted; by it tenants are ranked. */
  calls: number
}

/** What is counted apart (`K`), and what of it (`V`). */
export interface CellParts<K, V> {
  readonly make: () => V
  readonly merge: (into: V, from: V) => void
  readonly keyOf: (kind: K) => string
  /** The same without what belongs to one tenant. */
  readonly withoutTenant: (kind: K) => K
}

/** Counts by tenant and kind between two collections, bounded in memory and in the number of tenants that they name. */
export class TenantCells<K, V> {
  readonly #cells = new Map<string, Cell<K> & { readonly value: V }>()
  readonly #parts: CellParts<K, V>

  constructor(parts: CellParts<K, V>) {
    this.#parts = parts
  }

  /** Counts a call, and gives where to add what else is known of it. */
  count(owner: Owner, kind: K): V {
    const key = `${owner}|${this.#parts.keyOf(kind)}`
    let cell = this.#cells.get(key)
    if (!cell) {
      if (owner !== 'other' && this.#cells.size >= CELLS_HELD_MAX) {
        return this.count('other', this.#parts.withoutTenant(kind))
      }
      cell = { owner, kind, calls: 0, value: this.#parts.make() }
      this.#cells.set(key, cell)
    }
    cell.calls += 1
    return cell.value
  }

  /** What was counted since it was last called. */
  take(): readonly { readonly owner: Owner; readonly kind: K; readonly calls: number; readonly value: V }[] {
    const cells = [...this.#cells.values()]
    this.#cells.clear()
    const named = namedOwners(cells)
    const { keyOf, withoutTenant, make, merge } = this.#parts
    const others = new Map<string, Cell<K> & { readonly value: V }>()
    const own = cells.filter((cell) => {
      if (named.has(cell.owner)) return true
      const kind = withoutTenant(cell.kind)
      const key = keyOf(kind)
      const other = others.get(key) ?? { owner: 'other' as const, kind, calls: 0, value: make() }
      other.calls += cell.calls
      merge(other.value, cell.value)
      others.set(key, other)
      return false
    })
    return [...own, ...others.values()]
  }
}

function namedOwners(cells: readonly { owner: Owner; calls: number }[]): ReadonlySet<Owner> {
  const calls = new Map<Owner, number>()
  for (const { owner, calls: more } of cells) calls.set(owner, (calls.get(owner) ?? 0) + more)
  calls.delete('other')
  calls.delete('none')
  const ranked = [...calls].toSorted(([, a], [, b]) => b - a).slice(0, TENANTS_NAMED_MAX)
  return new Set<Owner>(['none', ...ranked.map(([owner]) => owner)])
}
