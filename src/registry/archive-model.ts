import type { Clock } from '../base/clock'
import type { ModelId } from '../base/ids'
import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { ModelVersion } from './model-version'
import { withEvent, type Registry } from './registry'

const noModel = new Problem('not_found', 'There is no such model.')

/** Out of the way, and nothing of it gone: an archived model is neither deployed nor promoted. Repeating it changes nothing. */
export async function archiveModel(
  { registry, clock }: { registry: Pick<Registry, 'change'>; clock: Clock },
  scope: TenantScope,
  { modelId, by }: { modelId: ModelId; by: string },
): Promise<ModelVersion | Problem> {
  const model = await registry.change(scope, modelId, (kept) => {
    if (kept.archivedAt !== undefined || kept.deployment.kind !== 'none') return kept
    const atMs = clock.now()
    return withEvent({ ...kept, archivedAt: atMs }, { atMs, kind: 'archived', by })
  })
  if (!model) return noModel
  if (model.archivedAt !== undefined) return model
  return new Problem('conflict', 'The model is deployed. Lead its aliases elsewhere and undeploy it first.')
}

/** Takes a model back from the archive; repeating it changes nothing. */
export async function restoreModel(
  { registry, clock }: { registry: Pick<Registry, 'change'>; clock: Clock },
  scope: TenantScope,
  { modelId, by }: { modelId: ModelId; by: string },
): Promise<ModelVersion | Problem> {
  const model = await registry.change(scope, modelId, (kept) => {
    if (kept.archivedAt === undefined) return kept
    const { archivedAt: _, ...rest } = kept
    return withEvent(rest, { atMs: clock.now(), kind: 'restored', by })
  })
  return model ?? noModel
}
