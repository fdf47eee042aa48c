import type { Arm } from '../azure/arm'
import type { Clock } from '../base/clock'
import type { ModelId } from '../base/ids'
import { assertNever } from '../base/assert'
import { Problem, ProblemError } from '../base/problem'
import type { Removal } from '../checklists/removal'
import { removeResource } from '../provisioning/ensure-resource'
import { COGNITIVE_API_VERSION } from '../provisioning/own-deployments'
import type { ProbeDeps } from '../provisioning/probe-backend'
import {
  DEPLOY_TIMES_MAX,
  type DeploymentPlan,
  type ModelDeployment,
  type ModelVersion,
} from '../registry/model-version'
import { withEvent, type Registry } from '../registry/registry'
import type { Backends } from '../routing/backends'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { asleepAs, sleeperOf } from './asleep-as'
import { drained, gone, leaving, planned } from './deployment-moves'
import { leadTo, makeDeployment, PATIENCE_MS, resourceIdOf, tryBackend, type Unmade } from './make-deployment'
import type { DeployWish } from './tuning-job'

/**
 * Tuned models where calls reach them: a deployment at the account, a backend of the tenant's, and an alias of the model's name.
 * D1 The registry says `deploying`, with the names of everything, before anything is made, and `deployed` when all of it is there.
 * D2 Taking away goes the other way round: nobody is led to what goes. A model that only sleeps keeps its aliases; the tenant's
 *    snapshot says that it sleeps before anything of it goes.
 * D3 Whether it goes or stays is one record's compare-and-swap: until it is drained a call takes it back, and from then on it waits
 *    until it has gone.
 */
export interface ModelDeployments {
  /** One step towards the model answering under its name. Without a wish by its plan, which one that sleeps has. */
  ensure(scope: TenantScope, id: ModelId, wish: DeployWish | undefined, by: string): Promise<Deployed>
  /** Says that it is to go, and leads nobody there any more. False where it is not deployed, or not `asIf` it was looked at. */
  leave(scope: TenantScope, id: ModelId, how: Leaving & { readonly asIf?: ModelDeployment }): Promise<boolean>
  /** One step towards nothing of it being deployed, after `leave`. `kept` where somebody has called it back meanwhile. */
  goOn(scope: TenantScope, id: ModelId, how: Leaving): Promise<Removal | { readonly kind: 'kept' }>
  /** Both at once. `asleep` keeps the plan, by which `ensure` brings the same back. */
  remove(scope: TenantScope, id: ModelId, how: Leaving): Promise<Removal>
  /** What is deployed and not there is made again, under the same backend; `ensure` goes on with it. Its meter has been ended. */
  redeploy(scope: TenantScope, id: ModelId, by: string): Promise<Deployed>
  /** Nobody tries again before `untilMs`; calls are told so. */
  refuse(scope: TenantScope, id: ModelId, refused: { readonly code: string; readonly untilMs: number }): Promise<void>
}

export interface Leaving {
  readonly kind: 'asleep' | 'removed'
  readonly by: string
  readonly detail?: string | undefined
  /** From the moment in which nobody is led there any more: how long calls under way have to end. Absent: none is. */
  readonly drainMs?: number | undefined
  /** Where it was gone before anybody noticed: until when it is known to have been there, Unix milliseconds. */
  readonly hostedUntilMs?: number | undefined
}

export type Deployed = { readonly kind: 'ready' } | Unmade

/** Told what Azure charges by the hour, and from when to when. Each may be repeated. */
export interface HostingMeters {
  begin(scope: TenantScope, model: ModelVersion, plan: DeploymentPlan): Promise<void>
  /** What has been hosted is booked when this returns. */
  end(scope: TenantScope, model: ModelVersion, untilMs?: number): Promise<void>
}

export interface ModelDeploymentsDeps extends ProbeDeps {
  readonly registry: Pick<Registry, 'get' | 'change'>
  readonly arm: Arm
  readonly backends: Pick<Backends, 'create' | 'remove'>
  readonly tenants: Pick<Tenants, 'get' | 'putAlias' | 'removeAlias' | 'setAsleep'>
  readonly meters: HostingMeters
  readonly clock: Clock
}

export function createModelDeployments(deps: ModelDeploymentsDeps): ModelDeployments {
  const { registry, clock } = deps

  const leave: ModelDeployments['leave'] = async (scope, id, { kind, drainMs = 0, asIf }) => {
    let hasLeft = false
    const model = await registry.change(scope, id, (before) => {
      const next = leaving(before, { to: kind === 'asleep' ? 'asleep' : 'none', drainMs, asIf, nowMs: clock.now() })
      hasLeft = next !== before || before.deployment.kind === 'removing'
      return next
    })
    if (model?.deployment.kind === 'removing') await leadNobody(deps, scope, model, model.deployment)
    return hasLeft
  }

  const goOn: ModelDeployments['goOn'] = async (scope, id, how) => {
    const nowMs = clock.now()
    const model = await registry.change(scope, id, (before) => drained(before, nowMs - (how.drainMs ?? 0)))
    if (!model || model.deployment.kind === 'none' || model.deployment.kind === 'asleep') return { kind: 'removed' }
    if (model.deployment.kind !== 'removing') return { kind: 'kept' }
    const { plan, sinceMs, isDrained } = model.deployment
    // Whoever said that it goes may not have come further.
    await leadNobody(deps, scope, model, model.deployment)
    if (!isDrained) return { kind: 'not-yet', againAfterMs: Math.max(1, sinceMs + (how.drainMs ?? 0) - nowMs) }
    const fault = await deps.backends.remove(plan.backendId)
    if (fault && fault.code !== 'not_found') throw new ProblemError(fault)
    const removed = await removeResource(deps.arm, resourceIdOf(plan), COGNITIVE_API_VERSION)
    if (removed !== true) return { kind: 'not-yet', againAfterMs: removed.againAfterMs }
    await deps.meters.end(scope, model, how.hostedUntilMs)
    const atMs = clock.now()
    await registry.change(scope, id, (before) => gone(before, how, atMs))
    return { kind: 'removed' }
  }

  const ensure: ModelDeployments['ensure'] = async (scope, id, wish, by) => {
    const model = await registry.change(scope, id, (before) => planned(scope, before, wish, clock.now()))
    if (!model) return failed(new Problem('not_found', 'There is no such model.'))
    const { deployment } = model
    switch (deployment.kind) {
      case 'deployed':
        return { kind: 'ready' }
      case 'removing':
        return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
      case 'deploying':
        return deploy(deps, { scope, model, deployment, by })
      case 'none':
      case 'asleep':
        return failed(new Problem('conflict', noPlan(model)))
      default:
        return assertNever(deployment)
    }
  }

  return {
    ensure,
    leave,
    goOn,
    redeploy: async (scope, id, by) => {
      await registry.change(scope, id, (before) =>
        before.deployment.kind === 'deployed'
          ? { ...before, deployment: { kind: 'deploying', plan: before.deployment.plan, sinceMs: clock.now() } }
          : before,
      )
      return ensure(scope, id, undefined, by)
    },
    remove: async (scope, id, how) => {
      await leave(scope, id, how)
      const removed = await goOn(scope, id, how)
      return removed.kind === 'kept' ? { kind: 'not-yet', againAfterMs: PATIENCE_MS } : removed
    },
    refuse: async (scope, id, refused) => {
      const model = await registry.get(scope, id)
      const isToSleep =
        model?.deployment.kind === 'asleep' || (model?.deployment.kind === 'deploying' && model.deployment.isWoken)
      const sleeper = isToSleep && model ? sleeperOf(model, { refused }) : undefined
      if (sleeper) settled(await deps.tenants.setAsleep(scope, sleeper.backendId, sleeper))
    },
  }
}

const failed = (problem: Problem): Deployed => ({ kind: 'failed', problem })

const noPlan = ({ upstream }: ModelVersion) =>
  upstream.accountId === undefined
    ? 'The account that has this model is not reached through ARM: deploy it there, and have your operators add it as a backend.'
    : 'Nothing says how large the deployment is to be: give a sku and a capacity.'

/** D2: the snapshot says that it sleeps, or its own alias is gone. */
async function leadNobody(
  { tenants }: ModelDeploymentsDeps,
  scope: TenantScope,
  model: ModelVersion,
  { to, plan }: Extract<ModelDeployment, { kind: 'removing' }>,
): Promise<void> {
  if (to === 'asleep') {
    const sleeper = sleeperOf(model, {})
    if (sleeper) await asleepAs(tenants, scope, sleeper)
    return
  }
  const unled = await tenants.removeAlias(scope, model.name)
  // A tenant that is gone has no aliases either.
  if (unled instanceof Problem) return unled.code === 'not_found' ? undefined : throwIt(unled)
  if (unled.asleep?.some(({ backendId }) => backendId === plan.backendId))
    settled(await tenants.setAsleep(scope, plan.backendId, undefined))
}

const throwIt = (problem: Problem): never => {
  throw new ProblemError(problem)
}

/** A tenant that is gone has nothing that sleeps. */
const settled = (result: object): void => {
  if (result instanceof Problem && result.code !== 'not_found') throwIt(result)
}

interface Deploying {
  readonly scope: TenantScope
  readonly model: ModelVersion
  readonly deployment: Extract<ModelDeployment, { kind: 'deploying' }>
  readonly by: string
}

async function deploy(deps: ModelDeploymentsDeps, deploying: Deploying): Promise<Deployed> {
  const { scope, model, deployment, by } = deploying
  const { plan, sinceMs, isWoken = false } = deployment
  const say = async (stage: 'making' | 'trying') => {
    const sleeper = isWoken ? sleeperOf(model, { waking: { sinceMs, stage } }) : undefined
    if (sleeper) await asleepAs(deps.tenants, scope, sleeper)
  }
  await say('making')
  const made = await makeDeployment(deps, scope, model, plan)
  if (made.kind !== 'made') return made
  await deps.meters.begin(scope, model, plan)
  await say('trying')
  const outcome = await tryBackend(deps, model, made.backend)
  if (outcome) return outcome
  const refused = await leadTo(deps, scope, model, made.backend)
  if (refused) return failed(refused)
  const atMs = deps.clock.now()
  await deps.registry.change(scope, model.id, (before) =>
    before.deployment.kind === 'deploying' && before.deployment.sinceMs === sinceMs
      ? withEvent(
          {
            ...before,
            deployment: { kind: 'deployed', plan, sinceMs: atMs },
            deployTimesMs: [...(before.deployTimesMs ?? []), atMs - sinceMs].slice(-DEPLOY_TIMES_MAX),
          },
          { atMs, kind: isWoken ? 'woken' : 'deployed', by },
        )
      : before,
  )
  return { kind: 'ready' }
}
