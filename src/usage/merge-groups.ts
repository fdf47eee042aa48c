import { addSums, groupKey, isZero, zeroSums, type GroupSums, type UsageGroup, type UsageSums } from './usage-sums'

/** The sums of equal groups, in the order of their keys; a group in which nothing is left to count is left out. */
export function mergeGroups(groups: Iterable<GroupSums>): GroupSums[] {
  const merged = new Map<string, { group: UsageGroup; sums: UsageSums }>()
  for (const { group, sums } of groups) {
    const key = groupKey(group)
    let entry = merged.get(key)
    if (!entry) merged.set(key, (entry = { group, sums: zeroSums() }))
    addSums(entry.sums, sums)
  }
  return [...merged]
    .filter(([, { sums }]) => !isZero(sums))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, entry]) => entry)
}
