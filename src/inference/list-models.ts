import type { Caller } from '../access/caller'
import type { ModelAlias, TenantSnapshot } from '../tenants/snapshot'
import { requestIdHeaders, type Answer } from './answer'
import { findAlias } from './authorize'
import type { Target } from './match-path'

type ModelsTarget = Extract<Target, { kind: 'models' }>

/** The aliases that this key may use, in the shape of the URL family that asked. Undefined for an alias it may not. */
export function listModels(
  target: ModelsTarget,
  tenant: TenantSnapshot,
  caller: Caller,
  requestId: string,
): Answer | undefined {
  const shape = target.family === 'v1' ? v1Model : azureModel
  const json = (value: object): Answer => ({
    status: 200,
    headers: { 'content-type': 'application/json', ...requestIdHeaders(requestId) },
    body: JSON.stringify(value),
  })

  if (target.model !== undefined) {
    const alias = findAlias(tenant, caller, target.model)
    return alias && json(shape(alias))
  }
  const allowed = Object.keys(tenant.aliases).flatMap((name) => findAlias(tenant, caller, name) ?? [])
  return json({ object: 'list', data: allowed.map(shape) })
}

/** OpenAI's `Model`. The alias has no date of its own that would mean anything to a client. */
function v1Model(alias: ModelAlias): object {
  return { id: alias.name, object: 'model', created: 0, owned_by: 'tenantry' }
}

/** Azure's model of the dated API versions (azure-facts 1.9). */
function azureModel(alias: ModelAlias): object {
  return {
    id: alias.name,
    object: 'model',
    status: 'succeeded',
    created_at: 0,
    model: alias.model,
    lifecycle_status: 'generally-available',
    capabilities: {
      fine_tune: false,
      inference: true,
      completion: false,
      chat_completion: alias.capabilities.includes('chat'),
      embeddings: alias.capabilities.includes('embeddings'),
    },
    deprecation: {},
  }
}
