import type { Chance } from '../base/chance'
import type { BackendId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Backend } from '../routing/backend'
import { planRoute } from '../routing/plan-route'
import type { Grant } from './authorize'
import { forward, type ForwardDeps, type ForwardInput, type UpstreamAnswer } from './forward'
import { allResting } from './forward-problem'

export type BackendLookup = Pick<ReadonlyMap<BackendId, Backend>, 'get'>

export interface SendDeps extends ForwardDeps {
  readonly backends: () => BackendLookup | Promise<BackendLookup>
  /** Read again, for an alias that leads to none that are known: they may have been made a moment ago elsewhere. */
  readonly backendsAnew: () => Promise<BackendLookup>
  readonly chance: Chance
}

/** Plans a route by how the backends stand now, and forwards the call along it. */
export async function sendCall(
  deps: SendDeps,
  input: Omit<ForwardInput, 'candidates' | 'restMs'>,
): Promise<UpstreamAnswer | Problem> {
  const { grant } = input
  const backends = deps.backends()
  const known = planFor(deps, grant, backends instanceof Promise ? await backends : backends)
  const plan = known.kind === 'none' ? planFor(deps, grant, await deps.backendsAnew()) : known
  switch (plan.kind) {
    case 'none':
      return new Problem('no_backend', 'No backend serves this model at present.')
    case 'all-resting':
      return allResting(plan.waitMs)
    case 'candidates':
      return forward(deps, { ...input, candidates: plan.candidates, restMs: plan.restMs })
  }
}

const planFor = ({ health, load, chance }: SendDeps, { tenant, alias }: Grant, backends: BackendLookup) =>
  planRoute({
    tenantId: tenant.tenantId,
    groups: alias.groups,
    residency: tenant.residency,
    backendOf: (id) => backends.get(id),
    healthOf: (id) => health.view(id, tenant.tenantId),
    isSaturated: load.isSaturated,
    fraction: () => chance.fraction(),
  })
