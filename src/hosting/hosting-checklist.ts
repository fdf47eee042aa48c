import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { ModelId } from '../base/ids'
import { Problem } from '../base/problem'
import { done, type Checklist, type ChecklistStep, type Operation, type StepOutcome } from '../checklists/checklist'
import type { Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { Leaving, ModelDeployments } from '../tuning/model-deployments'
import { HOSTING_BY, hostingName, type HostingOrder } from './hosting-order'
import { leadsToModel } from './leads-to-model'

export interface HostingDeps {
  readonly deployments: ModelDeployments
  readonly registry: Pick<Registry, 'get'>
  readonly tenants: Pick<Tenants, 'get'>
  /** How long calls under way may take, from the moment in which no new ones come. */
  readonly drainMs: number
  readonly clock: Clock
}

type HostingStep = ChecklistStep<HostingOrder>

/** ARM takes minutes; a queue for quota, or an outage, hours. */
const TIMEOUT_MS = 6 * 3_600_000
/** With 30 s between two attempts. */
const ATTEMPTS_MAX = 500
/** Between two looks at what drains: so long a call that wakes it, or an offboarding, waits for its checklist at most. */
const LOOK_MS = 30_000
/** After Azure has refused a deployment that a call wanted, calls ask for no other one for so long. */
const REFUSED_MS = 5 * 60_000

/** A tuned model's deployment comes, or goes. Where coming fails it is again as it was before. */
export const hostingChecklist = (deps: HostingDeps): Checklist<HostingOrder> => ({
  name: hostingName,
  onFailure: 'undo',
  steps: [deployStep(deps), leaveStep(deps), removeStep(deps)],
})

const comes = ({ kind }: HostingOrder) => kind === 'deploy' || kind === 'wake'
const goes = (order: HostingOrder) => !comes(order)

const deployStep = (deps: HostingDeps): HostingStep => ({
  id: 'deploy',
  timeoutMs: TIMEOUT_MS,
  attemptsMax: ATTEMPTS_MAX,
  applies: comes,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    // Whoever goes wants nothing more to be made.
    const tenant = await deps.tenants.get(scope)
    if (!tenant || tenant.state === 'offboarding') return done()
    const by = 'by' in input ? input.by : HOSTING_BY
    const wish = input.kind === 'deploy' ? input.wish : undefined
    const deployed = await deps.deployments.ensure(scope, input.modelId, wish, by)
    if (deployed.kind === 'ready') return done({ modelId: input.modelId })
    if (deployed.kind === 'not-yet') return deployed
    const { problem } = deployed
    await deps.deployments.refuse(scope, input.modelId, {
      code: problem.code,
      untilMs: deps.clock.now() + REFUSED_MS,
    })
    return { kind: 'failed', problem }
  },
  undo: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const deployment = (await deps.registry.get(scope, input.modelId))?.deployment
    if (deployment?.kind !== 'deploying' && deployment?.kind !== 'removing') return done()
    const isAsleepAfter = deployment.kind === 'deploying' ? deployment.isWoken === true : deployment.to === 'asleep'
    const removed = await deps.deployments.remove(scope, input.modelId, {
      kind: isAsleepAfter ? 'asleep' : 'removed',
      by: HOSTING_BY,
      detail: 'It could not be deployed.',
    })
    return removed.kind === 'not-yet' ? removed : done()
  },
})

const leaveStep = (deps: HostingDeps): HostingStep => ({
  id: 'leave',
  timeoutMs: TIMEOUT_MS,
  attemptsMax: ATTEMPTS_MAX,
  applies: goes,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    switch (input.kind) {
      case 'sleep': {
        const { modelId, sinceMs } = input
        const model = await deps.registry.get(scope, modelId)
        // It was woken, or deployed anew, since somebody found it idle.
        if (model?.deployment.kind !== 'deployed' || model.deployment.sinceMs !== sinceMs) return done()
        await deps.deployments.leave(scope, modelId, { ...leavingBy(deps, input), asIf: model.deployment })
        return done()
      }
      case 'undeploy': {
        const led = await ledByOthers(deps, scope, input.modelId)
        if (led) return { kind: 'failed', problem: led }
        await deps.deployments.leave(scope, input.modelId, leavingBy(deps, input))
        return done()
      }
      case 'deploy':
      case 'wake':
        return done()
      default:
        return assertNever(input)
    }
  },
})

const removeStep = (deps: HostingDeps): HostingStep => ({
  id: 'remove',
  timeoutMs: TIMEOUT_MS,
  attemptsMax: ATTEMPTS_MAX,
  applies: goes,
  do: async ({ tenantId, input }: Operation<HostingOrder>): Promise<StepOutcome> => {
    const scope = TenantScope.ofPlatform(tenantId)
    const tenant = await deps.tenants.get(scope)
    // Nobody's calls are let in any more while a tenant goes, and its offboarding waits for this.
    const drainMs = tenant?.state === 'offboarding' ? 0 : deps.drainMs
    const removed = await deps.deployments.goOn(scope, input.modelId, { ...leavingBy(deps, input), drainMs })
    if (removed.kind !== 'not-yet') return done({ modelId: input.modelId })
    return { kind: 'not-yet', againAfterMs: Math.min(removed.againAfterMs, LOOK_MS) }
  },
})

const leavingBy = ({ drainMs }: HostingDeps, order: HostingOrder): Leaving => ({
  kind: order.kind === 'undeploy' ? 'removed' : 'asleep',
  by: 'by' in order ? order.by : HOSTING_BY,
  drainMs,
})

async function ledByOthers(
  { registry, tenants }: Pick<HostingDeps, 'registry' | 'tenants'>,
  scope: TenantScope,
  modelId: ModelId,
): Promise<Problem | undefined> {
  const [model, record] = await Promise.all([registry.get(scope, modelId), tenants.get(scope)])
  return model && record ? leadsToModel(record, model) : undefined
}
