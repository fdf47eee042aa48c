import type { TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { TenantScope } from '../storage/tenant-scope'
import { backendOf, offeredTo, OFFERED_MAX, type SharedModel, type SharedModelId } from './shared-model'
import type { SharedModelDeps } from './shared-model-deps'

type GrantDeps = Pick<SharedModelDeps, 'models' | 'backends' | 'tenants' | 'adoptions'>

/** Lets a tenant be led to the model that has no examples in it. Undefined for no such model. */
export async function grantModel(
  deps: GrantDeps,
  id: SharedModelId,
  tenantId: TenantId,
): Promise<SharedModel | Problem | undefined> {
  const known = await deps.models.get(id)
  if (!known) return undefined
  const record = await deps.tenants.get(TenantScope.ofPlatform(tenantId))
  if (!record) return new Problem('not_found', 'There is no such tenant.')
  if (new Set([...offeredTo(known), tenantId]).size > OFFERED_MAX)
    return new Problem('conflict', `A shared model is offered to ${OFFERED_MAX} tenants at most.`)
  await deps.models.note(TenantScope.ofPlatform(tenantId), id)
  const model = await deps.models.change(id, (before) =>
    isOver(before) || before.grants.includes(tenantId) ? before : { ...before, grants: [...before.grants, tenantId] },
  )
  if (model && isOver(model)) return new Problem('conflict', `The model is ${model.state.kind}.`)
  return model && offer(deps, model)
}

/** The tenant's aliases go back to what they were. A contributor keeps it all the same, as long as it consents. */
export async function revokeGrant(
  deps: GrantDeps,
  id: SharedModelId,
  tenantId: TenantId,
): Promise<SharedModel | Problem | undefined> {
  const model = await deps.models.change(id, (before) =>
    before.grants.includes(tenantId)
      ? { ...before, grants: before.grants.filter((granted) => granted !== tenantId) }
      : before,
  )
  if (!model) return undefined
  if (!offeredTo(model).includes(tenantId)) await deps.adoptions.leadBack(TenantScope.ofPlatform(tenantId), id)
  return offer(deps, model)
}

/** What is not ready yet is offered when it is. */
async function offer({ backends }: GrantDeps, model: SharedModel): Promise<SharedModel | Problem> {
  if (model.state.kind !== 'ready') return model
  const shared = await backends.shareWith(backendOf(model.id), offeredTo(model))
  return shared instanceof Problem ? shared : model
}

const isOver = ({ state: { kind } }: SharedModel) => kind === 'retiring' || kind === 'retired' || kind === 'failed'
