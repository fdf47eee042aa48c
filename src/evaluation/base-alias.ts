import type { BackendId } from '../base/ids'
import { familyOf } from '../datasets/training-models'
import { modelIdOfName, type ModelVersion } from '../registry/model-version'
import type { BackendGroup, ModelAlias, TenantSnapshot } from '../tenants/snapshot'

/**
 * The tenant's aliases behind which the base of a tuned model is, the best first; pure. Of one that is being promoted, or was, only
 * those members are left that are no tuned models. Those that were never promoted come first, then by name, so that the same
 * one is chosen each time.
 */
export function baseAliases(
  { aliases }: Pick<TenantSnapshot, 'aliases'>,
  baseModel: string,
  tuned: ReadonlySet<BackendId>,
): readonly ModelAlias[] {
  const family = familyOf(baseModel)
  const found: { alias: ModelAlias; isWhole: boolean }[] = []
  for (const alias of Object.values(aliases)) {
    if (familyOf(alias.model) !== family || !alias.capabilities.includes('chat') || modelIdOfName(alias.name)) continue
    const groups = alias.groups.map((group) => withoutTuned(group, tuned)).filter(({ members }) => members.length > 0)
    if (groups.length > 0) found.push({ alias: aliasAlone(alias, groups), isWhole: isSame(groups, alias.groups) })
  }
  return found
    .toSorted((a, b) => Number(b.isWhole) - Number(a.isWhole) || (a.alias.name < b.alias.name ? -1 : 1))
    .map(({ alias }) => alias)
}

/** An alias with nothing that would have another model answer in its place: no fallback, and whatever else aliases may have. */
export const aliasAlone = (alias: ModelAlias, groups: ModelAlias['groups'] = alias.groups): ModelAlias => {
  const { name, model, capabilities, outputTokensMax, outputTokensField, limits, budgets } = alias
  return {
    name,
    model,
    capabilities,
    groups,
    outputTokensMax,
    outputTokensField,
    ...(limits ? { limits } : {}),
    ...(budgets ? { budgets } : {}),
  }
}

/** Backends of the tenant's tuned models, deployed or on their way. */
export async function tunedBackends(models: AsyncIterable<ModelVersion>): Promise<ReadonlySet<BackendId>> {
  const ids = new Set<BackendId>()
  for await (const { deployment } of models) if (deployment.kind !== 'none') ids.add(deployment.plan.backendId)
  return ids
}

const withoutTuned = ({ members }: BackendGroup, tuned: ReadonlySet<BackendId>): BackendGroup => ({
  members: members.filter(({ backendId, weight }) => weight > 0 && !tuned.has(backendId)),
})

const isSame = (groups: readonly BackendGroup[], others: readonly BackendGroup[]) =>
  groups.length === others.length && groups.every(({ members }, at) => members.length === others[at]?.members.length)
