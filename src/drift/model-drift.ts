import type { z } from 'zod'
import type { Caller } from '../access/caller'
import type { Clock } from '../base/clock'
import type { ModelId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { policyOf, type driftPolicyInput } from './drift-input'
import type { DriftPolicy } from './drift-records'
import { watchingOf, watchingDefault } from './drift-settings'
import type { DriftStore } from './drift-store'
import type { DriftFacts } from './drift-view'
import { compareModel } from './watch-model'

/** A model's drift as its tenant sees it, computed when it is asked for. Undefined for a model that the tenant does not have (I3). */
export interface ModelDrift {
  show(caller: Caller, id: ModelId): Promise<DriftFacts | undefined>
  /** Refused while the tenant's settings do not ask for drift to be watched. */
  setPolicy(
    caller: Caller,
    id: ModelId,
    input: z.infer<typeof driftPolicyInput>,
  ): Promise<DriftPolicy | Problem | undefined>
}

export interface ModelDriftDeps {
  readonly store: DriftStore
  readonly registry: Pick<Registry, 'get'>
  readonly tenantOf: (
    tenantId: TenantScope['tenantId'],
  ) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly clock: Clock
}

export const createModelDrift = ({ store, registry, tenantOf, clock }: ModelDriftDeps): ModelDrift => ({
  show: async (caller, modelId) => {
    const scope = TenantScope.ofCaller(caller)
    if (!(await registry.get(scope, modelId))) return undefined
    const asked = watchingOf((await tenantOf(scope.tenantId))?.settings.drift)
    const watching = asked ?? watchingDefault
    const [state, baseline] = await Promise.all([store.state(scope, modelId), store.baseline(scope, modelId)])
    const nowMs = clock.now()
    const { window, compared } = await compareModel(store, scope, { modelId, baseline, watching, nowMs })
    return { modelId, isWatched: asked !== undefined, watching, state, baseline, window, compared }
  },
  setPolicy: async (caller, id, input) => {
    const scope = TenantScope.ofCaller(caller)
    if (!(await registry.get(scope, id))) return undefined
    if (!watchingOf((await tenantOf(scope.tenantId))?.settings.drift)) return notWatched
    const policy = policyOf(input, caller, clock.now())
    // What was proposed is looked at anew: it may be allowed now.
    const state = await store.changeState(scope, id, (before) => ({
      ...before,
      policy,
      retraining: before.retraining.kind === 'proposed' ? { kind: 'none' } : before.retraining,
    }))
    return state.policy
  },
})

const notWatched = new Problem(
  'conflict',
  'Drift is not watched for this tenant. Switch it on first: PATCH /api/tenant with {"settings":{"drift":{"watch":true}}}.',
)
