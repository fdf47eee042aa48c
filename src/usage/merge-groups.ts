import { mergeSketches, newSketches, type UsageSketches } from './usage-sketches'
import { addSums, groupKey, isZero, zeroSums, type GroupSums, type UsageGroup, type UsageSums } from './usage-sums'

/** Adds up equal groups, piece by piece; memory is bounded by the number of different ones. */
export class GroupTotals {
  readonly #totals = new Map<string, { group: UsageGroup; sums: UsageSums; sketches: UsageSketches }>()

  add(groups: Iterable<GroupSums>): void {
    for (const { group, sums, sketches } of groups) {
      const key = groupKey(group)
      let total = this.#totals.get(key)
      if (!total) this.#totals.set(key, (total = { group, sums: zeroSums(), sketches: newSketches() }))
      addSums(total.sums, sums)
      mergeSketches(total.sketches, sketches)
    }
  }

  /** In the order of their keys; a group in which nothing is left to count is left out. */
  groups(): GroupSums[] {
    return [...this.#totals]
      .filter(([, { sums }]) => !isZero(sums))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, total]) => total)
  }
}

/** The sums of equal groups, as `GroupTotals` gives them. */
export function mergeGroups(groups: Iterable<GroupSums>): GroupSums[] {
  const totals = new GroupTotals()
  totals.add(groups)
  return totals.groups()
}
