import { z } from 'zod'
import type { ModelId } from '../base/ids'
import type { ModelVersion } from '../registry/model-version'
import { modelSummary, modelView, shownModelSummary } from '../registry/model-view'
import type { Registry } from '../registry/registry'
import type { TenantScope } from '../storage/tenant-scope'
import { notFound, ok } from './plain-request'
import type { modelPageQuery } from './request-params'

export const shownModels = z.object({ models: z.array(shownModelSummary), next: z.string().optional() })

/** Looked at for one page, whatever filters leave of them. */
const MODELS_READ_MAX = 2_000

/** A tenant's tuned models as it and its operators read them. */
export const tenantModelsOf = (registry: Pick<Registry, 'get' | 'list'>) => ({
  list: async (scope: TenantScope, { after, limit, ...filter }: z.infer<typeof modelPageQuery>) => {
    const models: ReturnType<typeof modelSummary>[] = []
    let read = 0
    let last: ModelId | undefined
    for await (const model of registry.list(scope, after)) {
      if (models.length === limit || read === MODELS_READ_MAX) return ok({ models, next: last })
      read += 1
      last = model.id
      if (isWanted(model, filter)) models.push(modelSummary(model))
    }
    return ok({ models })
  },
  get: async (scope: TenantScope, id: ModelId) => {
    const model = await registry.get(scope, id)
    return model ? ok(modelView(model)) : notFound
  },
})

function isWanted(
  { family, deployment, archivedAt }: ModelVersion,
  wanted: Omit<z.infer<typeof modelPageQuery>, 'after' | 'limit'>,
): boolean {
  if (wanted.family !== undefined && wanted.family !== family) return false
  if (wanted.state !== undefined && wanted.state !== deployment.kind) return false
  return wanted.archived === undefined || (wanted.archived === 'true') === (archivedAt !== undefined)
}
