import type { BackendId } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { AliasSpec } from '../tenants/tenant-record'
import { tunedBackendOf } from '../tenants/tuned-alias'
import type { Tenants } from '../tenants/tenants'

type Groups = AliasSpec['groups']

/** With `behind` asked after everything that is there; as they are where they do not lead to `model`, or to both already. Pure. */
export function withBehind(groups: Groups, model: BackendId, behind: BackendId): Groups {
  if (!leadsTo(groups, model) || leadsTo(groups, behind)) return groups
  return [...groups, { members: [{ backendId: behind, weight: 1 }] }]
}

/** Without the backend, and without a group that had nothing else. Pure. */
export function without(groups: Groups, backendId: BackendId): Groups {
  if (!leadsTo(groups, backendId)) return groups
  return groups
    .map(({ members }) => ({ members: members.filter((member) => member.backendId !== backendId) }))
    .filter(({ members }) => members.length > 0)
}

/** With `next` in the place of `before`, by its weight. Pure. */
export function inPlaceOf(groups: Groups, before: BackendId, next: BackendId): Groups {
  if (!leadsTo(groups, before) || leadsTo(groups, next)) return groups
  return groups.map(({ members }) => ({
    members: members.map((member) => (member.backendId === before ? { ...member, backendId: next } : member)),
  }))
}

const leadsTo = (groups: Groups, backendId: BackendId) =>
  groups.some(({ members }) => members.some((member) => member.backendId === backendId))

/**
 * Changes every alias of the tenant but those that are tuned models' own, which lead to their own model alone. Can be repeated; the
 * names of those that were changed now.
 */
export async function leadAliases(
  tenants: Pick<Tenants, 'get' | 'leadAlias'>,
  scope: TenantScope,
  change: (groups: Groups) => Groups,
): Promise<readonly string[]> {
  const changed: string[] = []
  for (const { name, groups } of (await tenants.get(scope))?.aliases ?? []) {
    if (tunedBackendOf(name) !== undefined || change(groups) === groups) continue
    const led = await tenants.leadAlias(scope, name, change)
    // Somebody has removed it meanwhile.
    if (led instanceof Problem && led.code !== 'not_found') throw new ProblemError(led)
    changed.push(name)
  }
  return changed
}
