import type { Removal } from '../checklists/removal'
import type { Registry } from '../registry/registry'
import type { TenantScope } from '../storage/tenant-scope'
import type { AccountTuning } from './account-tuning'
import type { ModelDeployments } from './model-deployments'
import type { TurnRows } from './turn-rows'
import type { TuningEvents } from './tuning-events'
import type { TuningStore } from './tuning-store'

/** What the platform and its accounts have of a tenant's trainings, for whoever deletes it. */
export interface TenantTuning {
  /**
   * One step towards nothing being left: deployments, models and their checkpoints at accounts, then what is known of them. Jobs
   * that run are called back by their own checklists, which see that their tenant goes.
   */
  remove(scope: TenantScope): Promise<Removal>
  census(scope: TenantScope): Promise<number>
}

export interface TenantTuningDeps {
  readonly registry: Registry
  readonly store: TuningStore
  readonly events: TuningEvents
  readonly turns: Pick<TurnRows, 'removeTenant' | 'census'>
  readonly deployments: Pick<ModelDeployments, 'remove'>
  readonly accounts: Pick<AccountTuning, 'removeModel'>
}

const BY = 'offboarding'

export const createTenantTuning = (deps: TenantTuningDeps): TenantTuning => ({
  remove: async (scope) => {
    const { registry, store, events, turns, deployments, accounts } = deps
    // All of them first: no account gives up a model of which another one has a copy deployed.
    for await (const { id } of registry.list(scope)) {
      const undeployed = await deployments.remove(scope, id, { kind: 'removed', by: BY })
      if (undeployed.kind === 'not-yet') return undeployed
    }
    for await (const { id, upstream, lineage } of registry.list(scope)) {
      const checkpoints = await events.checkpoints(scope, lineage.jobId)
      for (const model of [upstream.model, ...checkpoints.map((checkpoint) => checkpoint.model)]) {
        const removed = await accounts.removeModel(upstream.account, model)
        if (removed.kind === 'unsure' || removed.kind === 'full')
          return { kind: 'not-yet', againAfterMs: removed.againMs }
        // For good: whoever deletes the tenant has to know that something of it stays.
        if (removed.kind === 'refused') throw new Error(`the model of ${id} could not be removed: ${removed.code}`)
      }
      await registry.remove(scope, id)
    }
    await turns.removeTenant(scope.tenantId)
    await events.removeAll(scope)
    await registry.removeAll(scope)
    await store.removeAll(scope)
    return { kind: 'removed' }
  },
  census: async (scope) =>
    (await deps.registry.count(scope)) + (await deps.store.count(scope)) + (await deps.turns.census(scope.tenantId)),
})
