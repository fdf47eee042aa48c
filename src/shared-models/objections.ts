import { assert } from '../base/assert'
import type { TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { TenantScope } from '../storage/tenant-scope'
import { stillConsents } from './collect-contributors'
import type { ConsentEntry } from './consent'
import { offeredTo, parseSharedModelId, backendOf, type SharedModel, type SharedModelId } from './shared-model'
import type { SharedModelDeps } from './shared-model-deps'
import { insertAndBegin, newSharedModel } from './start-shared-model'

export type ObjectionDeps = Pick<
  SharedModelDeps,
  | 'models'
  | 'purposes'
  | 'consents'
  | 'adoptions'
  | 'beginnings'
  | 'backends'
  | 'alerts'
  | 'audit'
  | 'bounds'
  | 'ids'
  | 'clock'
>

/**
 * What follows from an objection, for one model; each part can be repeated, and is by the watch where it broke off (`watch`):
 * the model is marked, the tenant is led to it no longer, operators are told, and another one is begun without it. A build that
 * is under way sees the mark, fails, and is begun anew when everything of it is gone.
 */
export async function affect(deps: ObjectionDeps, id: SharedModelId, tenantId: TenantId | undefined): Promise<void> {
  const nowMs = deps.clock.now()
  const model = await deps.models.change(id, (before) => marked(before, tenantId, nowMs, deps.bounds.affectedMsMax))
  if (!model?.affected) return
  if (model.state.kind !== 'ready') return
  if (tenantId !== undefined && !offeredTo(model).includes(tenantId))
    await deps.adoptions.leadBack(TenantScope.ofPlatform(tenantId), id)
  await deps.backends.shareWith(backendOf(id), offeredTo(model))
  await tell(deps, model)
  if (deps.bounds.retrain === 'start' && model.successor === undefined) await retrain(deps, model, 'platform')
}

/** Pure; the same model where nothing changes. */
function marked(model: SharedModel, tenantId: TenantId | undefined, nowMs: number, affectedMsMax: number): SharedModel {
  const isOver = model.state.kind === 'retired' || model.state.kind === 'failed' || model.state.kind === 'retiring'
  // Whose examples were all left out has nothing in a model that is made.
  const isNew = model.contributors.some(
    (each) => each.tenantId === tenantId && each.objectedAt === undefined && (each.part || !model.merged),
  )
  if (isOver || !isNew) return model
  const { affected } = model
  return {
    ...model,
    contributors: model.contributors.map((each) =>
      each.tenantId === tenantId ? { ...each, objectedAt: each.objectedAt ?? nowMs } : each,
    ),
    affected: {
      sinceMs: affected?.sinceMs ?? nowMs,
      retireByMs: affected?.retireByMs ?? nowMs + affectedMsMax,
      objections: (affected?.objections ?? 0) + 1,
    },
  }
}

export const affectedAlertOf = (id: SharedModelId) => `shared-model-affected/${id}`

async function tell({ alerts, bounds }: ObjectionDeps, { id, affected, order }: SharedModel): Promise<void> {
  if (!affected) return
  const by = new Date(affected.retireByMs).toISOString()
  await alerts.raiseOnce({
    id: affectedAlertOf(id),
    kind: 'shared-model-affected',
    severity: 'warning',
    tenantId: undefined,
    title: `The shared model ${id} has examples of a tenant that objected`,
    detail:
      `A contributor to "${order.purposeId}" withdrew its consent. ` +
      (bounds.retrain === 'start'
        ? 'Another model is trained without its examples and takes this one’s place. '
        : `POST /api/platform/shared-models/${id}/retrain trains another one without its examples. `) +
      `Without one it is deleted at ${by}.`,
  })
}

/** Another model of the same order, of those who consent now. Repeating it begins no second one, unless the first one failed. */
export async function retrain(deps: ObjectionDeps, model: SharedModel, by: string): Promise<SharedModel | Problem> {
  const purpose = await deps.purposes.get(model.order.purposeId)
  if (!purpose) return new Problem('conflict', 'The purpose of the model is gone.')
  const known = model.successor && (await deps.models.get(model.successor))
  const fresh = parseSharedModelId(deps.ids.operationId('shm'))
  const named = await deps.models.change(model.id, (before) => {
    const isFailed = before.successor === known?.id && known?.state.kind === 'failed'
    return fresh && (before.successor === undefined || isFailed) ? { ...before, successor: fresh } : before
  })
  assert(named?.successor, 'what is trained anew is there, and has a successor then')
  const begun = await deps.models.get(named.successor)
  if (begun) return begun
  return insertAndBegin(
    deps,
    newSharedModel({
      id: named.successor,
      by,
      order: model.order,
      purpose,
      atMs: deps.clock.now(),
      grants: model.grants,
      // What failed has never been led to: what it was to take the place of is what this one takes the place of.
      supersedes: model.state.kind === 'ready' ? model.id : model.supersedes,
    }),
  )
}

/**
 * For every model with examples of the tenant, of the entry's purpose, or of all where the tenant goes: whether what it says now still
 * is a consent to what was taken. Repeating it changes nothing.
 */
export async function reconsider(deps: ObjectionDeps, scope: TenantScope, entry?: ConsentEntry): Promise<void> {
  const affected: SharedModelId[] = []
  for await (const { id, order, contributors } of deps.models.notedFor(scope)) {
    if (entry && order.purposeId !== entry.purposeId) continue
    const contributor = contributors.find(({ tenantId }) => tenantId === scope.tenantId)
    if (!contributor || stillConsents(contributor, entry)) continue
    affected.push(id)
    await affect(deps, id, scope.tenantId)
  }
  if (affected.length === 0) return
  await deps.audit.append('platform', {
    actor: { kind: 'orchestration', id: 'shared-models' },
    action: 'shared-models.objection',
    target: scope.tenantId,
    outcome: 'done',
    requestId: scope.tenantId,
    details: { models: affected.join(','), count: affected.length },
  })
}
