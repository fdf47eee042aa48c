import type { BackendId } from '../base/ids'
import type { AliasSpec } from '../tenants/tenant-record'

export type AliasGroups = AliasSpec['groups']

/**
 * The alias's groups with so many percent of its calls led to `target`, 1 to 100; pure. The others of the first group share the rest as
 * they did before, so that a call that the new one fails before its first byte is answered by one of them. At 100 it is alone: an
 * answer of another model would then be a wrong one. Undefined where the first group has nobody to share with.
 */
export function groupsAt(before: AliasGroups, target: BackendId, percent: number): AliasGroups | undefined {
  if (percent >= 100) return [{ members: [{ backendId: target, weight: 1 }] }]
  const [first, ...rest] = before
  const others = (first?.members ?? []).filter(({ backendId, weight }) => backendId !== target && weight > 0)
  const sum = others.reduce((total, { weight }) => total + weight, 0)
  if (sum === 0) return undefined
  const shares = others.map(({ backendId, weight }) => ({ backendId, weight: (weight * (100 - percent)) / sum }))
  return [{ members: [...shares, { backendId: target, weight: percent }] }, ...rest]
}
