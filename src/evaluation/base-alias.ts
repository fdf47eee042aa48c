import type { BackendId } from '../base/ids'
import { familyOf } from '../datasets/training-models'
import { modelIdOfName, type ModelVersion } from '../registry/model-version'
import type { Backend } from '../routing/backend'
import type { BackendGroup, ModelAlias, TenantSnapshot } from '../tenants/snapshot'

/**
 * The tenant's aliases behind which the base of a tuned model is, the best first; pure. Of one that is being promoted, or was, only
 * those members are left that are no tuned models. Those that were never promoted come first, then by name, so that the same
 * one is chosen each time.
 */
export function baseAliases(
  { aliases }: Pick<TenantSnapshot, 'aliases'>,
  baseModel: string,
  isTuned: IsTuned,
): readonly ModelAlias[] {
  const family = familyOf(baseModel)
  const found: { alias: ModelAlias; isWhole: boolean }[] = []
  for (const alias of Object.values(aliases)) {
    if (familyOf(alias.model) !== family || !alias.capabilities.includes('chat') || modelIdOfName(alias.name)) continue
    const groups = alias.groups.map((group) => withoutTuned(group, isTuned)).filter(({ members }) => members.length > 0)
    if (groups.length > 0) found.push({ alias: aliasAlone(alias, groups), isWhole: isSame(groups, alias.groups) })
  }
  return found
    .toSorted((a, b) => Number(b.isWhole) - Number(a.isWhole) || (a.alias.name < b.alias.name ? -1 : 1))
    .map(({ alias }) => alias)
}

/** An alias with nothing that would have another model answer in its place: no fallback, and nobody who stands in while it sleeps. */
export const aliasAlone = (alias: ModelAlias, groups: ModelAlias['groups'] = alias.groups): ModelAlias => {
  const { name, model, capabilities, outputTokensMax, outputTokensField, limits, budgets, asleep } = alias
  return {
    name,
    model,
    capabilities,
    groups,
    outputTokensMax,
    outputTokensField,
    ...(limits ? { limits } : {}),
    ...(budgets ? { budgets } : {}),
    ...(asleep ? { asleep: { ...asleep, answeredBy: undefined } } : {}),
  }
}

export type IsTuned = (id: BackendId) => boolean

/** Backends of the tenant's tuned models, deployed or on their way, and of those that several tenants share. */
export async function tunedBackends(
  models: AsyncIterable<Pick<ModelVersion, 'deployment'>>,
  backends: Pick<ReadonlyMap<BackendId, Pick<Backend, 'sharedWith'>>, 'get'>,
): Promise<IsTuned> {
  const ids = new Set<BackendId>()
  for await (const { deployment } of models) if (deployment.kind !== 'none') ids.add(deployment.plan.backendId)
  return (id) => ids.has(id) || backends.get(id)?.sharedWith !== undefined
}

const withoutTuned = ({ members }: BackendGroup, isTuned: IsTuned): BackendGroup => ({
  members: members.filter(({ backendId, weight }) => weight > 0 && !isTuned(backendId)),
})

const isSame = (groups: readonly BackendGroup[], others: readonly BackendGroup[]) =>
  groups.length === others.length && groups.every(({ members }, at) => members.length === others[at]?.members.length)
