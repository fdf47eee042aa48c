import type { TenantScope } from '../storage/tenant-scope'
import type { Adoptions } from './adoptions'
import { offeredTo } from './shared-model'
import { offeredModelView } from './shared-model-view'
import type { SharedModels } from './shared-models'

/** Those that the tenant may be led to now, the oldest first, and those that its aliases still lead to. */
export async function offeredModels(
  {
    models,
    adoptions,
  }: { readonly models: Pick<SharedModels, 'notedFor'>; readonly adoptions: Pick<Adoptions, 'list'> },
  scope: TenantScope,
): Promise<ReturnType<typeof offeredModelView>[]> {
  const aliases = new Map<string, string[]>()
  for await (const { alias, modelId } of adoptions.list(scope))
    aliases.set(modelId, [...(aliases.get(modelId) ?? []), alias])
  const shown = []
  for await (const model of models.notedFor(scope)) {
    const isOffered = model.state.kind === 'ready' && offeredTo(model).includes(scope.tenantId)
    const own = aliases.get(model.id) ?? []
    if (isOffered || own.length > 0) shown.push(offeredModelView(model, scope.tenantId, own))
  }
  return shown
}
