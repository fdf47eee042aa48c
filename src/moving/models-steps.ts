import { assert } from '../base/assert'
import { Problem } from '../base/problem'
import { done } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import { withModels } from '../tenants/edit-record'
import type { TenantRecord } from '../tenants/tenant-record'
import { bounds, generationOf, type MovingDeps, type MovingInput, type Step } from './moving-input'

const movesModels = ({ models }: MovingInput) => models !== undefined

/** Deployments, accounts and backends beside those that serve: nothing leads to them yet. */
export const makeModelsStep = (deps: MovingDeps): Step => ({
  id: 'make-models',
  ...bounds,
  applies: movesModels,
  do: async ({ tenantId, operationId, input }) => {
    const made = await ensureModels(deps, TenantScope.ofPlatform(tenantId), { operationId, input })
    return made.kind === 'ready' ? done() : made
  },
  undo: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const removed = await deps.models.removeUnused(scope, await deps.tenants.get(scope))
    return removed.kind === 'not-yet' ? removed : done()
  },
})

/** From one record to the next every alias leads elsewhere; calls under way end where they began. */
export const switchModelsStep = (deps: MovingDeps): Step => ({
  id: 'switch-models',
  ...bounds,
  applies: movesModels,
  do: async ({ tenantId, operationId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const made = await ensureModels(deps, scope, { operationId, input })
    if (made.kind !== 'ready') return made
    assert(input.models, 'the step applies')
    const switched = await deps.tenants.setModels(scope, input.models, made.routes)
    if (switched instanceof Problem) return { kind: 'failed', problem: switched }
    if (input.stampId) await deps.models.settleOn(scope, input.stampId)
    return done({ models: switched.isolation.models })
  },
})

/** Until the last call is over that began before the switch. */
export const drainStep = ({ drainMs, clock }: MovingDeps): Step => ({
  id: 'drain',
  ...bounds,
  applies: movesModels,
  do: async ({ stepStartedAt }) => {
    const waitMs = stepStartedAt + drainMs - clock.now()
    return waitMs > 0 ? { kind: 'not-yet', againAfterMs: waitMs } : done()
  },
})

export const removeOldModelsStep = ({ models, secrets, tenants }: MovingDeps): Step => ({
  id: 'remove-old-models',
  ...bounds,
  applies: movesModels,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const record = await tenants.get(scope)
    if (!record) return { kind: 'failed', problem: recordGone }
    const removed = await models.removeUnused(scope, record)
    if (removed.kind === 'not-yet') return removed
    for (const name of await secrets.list(scope)) if (name !== secretOf(record)) await secrets.remove(scope, name)
    return done()
  },
})

const recordGone = new Problem('not_found', 'The tenant’s record is gone.')

const secretOf = ({ ownAccount }: TenantRecord) =>
  ownAccount?.credential.kind === 'tenant-secret' ? ownAccount.credential.name : undefined

async function ensureModels(
  { models, tenants }: MovingDeps,
  scope: TenantScope,
  { operationId, input }: { operationId: string; input: MovingInput },
) {
  const record = await tenants.get(scope)
  if (!record || !input.models) return { kind: 'failed', problem: recordGone } as const
  const wanted = { record: withModels(record, input.models), generation: generationOf(operationId) }
  return models.ensure(scope, { ...wanted, stampId: input.stampId })
}
