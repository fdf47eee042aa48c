import type { Arm, ArmResource } from '../azure/arm'
import type { Clock } from '../base/clock'
import { parseBackendId, type ModelId } from '../base/ids'
import { assert, assertNever } from '../base/assert'
import { Problem, ProblemError } from '../base/problem'
import type { Removal } from '../checklists/removal'
import { familyOf } from '../datasets/training-models'
import { ensureResource, refusedByAzure, removeResource } from '../provisioning/ensure-resource'
import { COGNITIVE_API_VERSION } from '../provisioning/own-deployments'
import { probeBackend, type ProbeDeps } from '../provisioning/probe-backend'
import { deploymentNameOf, tenantTag } from '../provisioning/resource-names'
import type { DeploymentPlan, ModelVersion } from '../registry/model-version'
import { withEvent, type Registry } from '../registry/registry'
import type { Backend } from '../routing/backend'
import type { Backends } from '../routing/backends'
import type { TenantScope } from '../storage/tenant-scope'
import { modelFacts } from '../tenants/models'
import type { Tenants } from '../tenants/tenants'
import type { DeployWish } from './tuning-job'

/**
 * Tuned models where calls reach them: a deployment at the account, a backend of the tenant's, and an alias of the model's name.
 * D1 The registry says `deploying`, with the names of everything, before anything is made, and `deployed` when all of it is there.
 * D2 Taking away goes the other way round: nobody is led to what goes.
 */
export interface ModelDeployments {
  /** One step towards the model answering under its name. A plan that is there counts before the wish. */
  ensure(scope: TenantScope, id: ModelId, wish: DeployWish, by: string): Promise<Deployed>
  /** One step towards nothing of it being deployed. `asleep` keeps the plan, by which `ensure` brings the same back. */
  remove(
    scope: TenantScope,
    id: ModelId,
    how: { readonly kind: 'asleep' | 'removed'; readonly by: string },
  ): Promise<Removal>
}

export type Deployed =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

export interface ModelDeploymentsDeps extends ProbeDeps {
  readonly registry: Pick<Registry, 'get' | 'change'>
  readonly arm: Arm
  readonly backends: Pick<Backends, 'create' | 'remove'>
  readonly tenants: Pick<Tenants, 'putAlias' | 'removeAlias'>
  readonly clock: Clock
}

const INFERENCE_API_VERSION = '2024-10-21'
/** Azure gives every tuned model this one (azure-facts 3.4). */
const MODEL_VERSION = '1'
/** A deployment that ARM calls ready answers some seconds later, and a role bites within minutes. */
const PATIENCE_MS = 5_000

export function createModelDeployments(deps: ModelDeploymentsDeps): ModelDeployments {
  const { registry, clock } = deps
  return {
    ensure: async (scope, id, wish, by) => {
      const model = await registry.change(scope, id, (before) => planned(scope, before, wish, clock.now()))
      if (!model) return { kind: 'failed', problem: new Problem('not_found', 'There is no such model.') }
      const { deployment } = model
      switch (deployment.kind) {
        case 'deployed':
          return { kind: 'ready' }
        case 'removing':
          return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
        case 'deploying':
          break
        case 'none':
        case 'asleep':
          throw new Error('what is to be deployed has a plan')
        default:
          return assertNever(deployment)
      }
      const { plan } = deployment
      const made = await makeDeployment(deps, scope, model, plan)
      if (made.kind !== 'ready') return made
      const refused = await leadTo(deps, scope, model, made.backend)
      if (refused) return { kind: 'failed', problem: refused }
      const atMs = clock.now()
      await registry.change(scope, id, (before) =>
        before.deployment.kind === 'deploying'
          ? withEvent(
              { ...before, deployment: { kind: 'deployed', plan, sinceMs: atMs } },
              { atMs, kind: 'deployed', by },
            )
          : before,
      )
      return { kind: 'ready' }
    },
    remove: async (scope, id, { kind, by }) => {
      const model = await registry.change(scope, id, (before) => leaving(before, clock.now()))
      if (model?.deployment.kind !== 'removing') return { kind: 'removed' }
      const { plan } = model.deployment
      const unled = await deps.tenants.removeAlias(scope, model.name)
      // A tenant that is gone has no aliases either.
      if (unled instanceof Problem && unled.code !== 'not_found') throw new ProblemError(unled)
      const fault = await deps.backends.remove(plan.backendId)
      if (fault && fault.code !== 'not_found') throw new ProblemError(fault)
      const removed = await removeResource(deps.arm, resourceIdOf(plan), COGNITIVE_API_VERSION)
      if (removed !== true) return { kind: 'not-yet', againAfterMs: removed.againAfterMs }
      const atMs = clock.now()
      await registry.change(scope, id, (before) =>
        before.deployment.kind === 'removing'
          ? withEvent(
              { ...before, deployment: kind === 'asleep' ? { kind, plan, sinceMs: atMs } : { kind: 'none' } },
              { atMs, kind, by },
            )
          : before,
      )
      return { kind: 'removed' }
    },
  }
}

function planned(scope: TenantScope, model: ModelVersion, wish: DeployWish, nowMs: number): ModelVersion {
  const { deployment, upstream } = model
  if (deployment.kind === 'asleep')
    return { ...model, deployment: { kind: 'deploying', plan: deployment.plan, sinceMs: nowMs } }
  if (deployment.kind !== 'none') return model
  assert(upstream.accountId !== undefined, 'only what ARM knows can be deployed')
  const body = model.id.slice('mdl_'.length)
  const backendId = parseBackendId(`bke_${body}`)
  assert(backendId, 'the body of an id makes an id')
  const plan: DeploymentPlan = {
    accountId: upstream.accountId,
    name: deploymentNameOf(scope.tenantId, body),
    backendId,
    sku: wish.sku,
    capacity: wish.capacity,
  }
  return { ...model, deployment: { kind: 'deploying', plan, sinceMs: nowMs } }
}

function leaving(model: ModelVersion, nowMs: number): ModelVersion {
  const { deployment } = model
  if (deployment.kind !== 'deployed' && deployment.kind !== 'deploying') return model
  return { ...model, deployment: { kind: 'removing', plan: deployment.plan, sinceMs: nowMs } }
}

const resourceIdOf = ({ accountId, name }: DeploymentPlan) => `${accountId}/deployments/${name}`

type Made = Exclude<Deployed, { kind: 'ready' }> | { readonly kind: 'ready'; readonly backend: Backend }

async function makeDeployment(
  deps: ModelDeploymentsDeps,
  scope: TenantScope,
  { upstream, name, lineage }: ModelVersion,
  plan: DeploymentPlan,
): Promise<Made> {
  const body = {
    sku: { name: plan.sku, capacity: plan.capacity },
    properties: {
      model: {
        format: 'OpenAI',
        name: upstream.model,
        version: MODEL_VERSION,
        // Of another account, which this one takes it from.
        ...(plan.accountId === upstream.accountId ? {} : { source: upstream.accountId }),
      },
      versionUpgradeOption: 'NoAutoUpgrade',
    },
    tags: { [tenantTag]: scope.tenantId },
  }
  const isAsWanted = ({ properties, sku }: ArmResource) => {
    const of = properties['model'] as { name?: unknown } | undefined
    return of?.name === upstream.model && sku?.capacity === plan.capacity
  }
  const id = resourceIdOf(plan)
  const ensured = await ensureResource(deps.arm, { id, apiVersion: COGNITIVE_API_VERSION, body, isAsWanted })
  if (ensured.kind === 'not-yet') return ensured
  if (ensured.kind === 'refused')
    return { kind: 'failed', problem: refusedByAzure('the deployment of the model', ensured) }
  const backend: Backend = {
    id: plan.backendId,
    name: `${name} of ${scope.tenantId}`,
    api: { kind: 'azure-openai', apiVersion: INFERENCE_API_VERSION },
    endpoint: upstream.account.endpoint,
    deployment: plan.name,
    credential: upstream.account.credential,
    region: upstream.region,
    capacity: 'payg',
    enabled: true,
    ownerTenantId: scope.tenantId,
    resourceId: id,
  }
  const probed = await probeBackend(deps, backend, factsOf(lineage.baseModel))
  if (probed.kind === 'answers') return { kind: 'ready', backend }
  if (probed.kind !== 'refused') return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
  const text = `The model was deployed, but refuses calls: HTTP ${probed.status}, ${probed.code}.`
  return { kind: 'failed', problem: new Problem('provisioning_refused', text) }
}

/** The alias is the last thing: its one write makes the model seen (I17). */
async function leadTo(
  { backends, tenants }: ModelDeploymentsDeps,
  scope: TenantScope,
  { name, lineage }: ModelVersion,
  { id, ...backend }: Backend,
): Promise<Problem | undefined> {
  const created = await backends.create(id, backend)
  if (created instanceof Problem) return created
  const model = familyOf(lineage.baseModel)
  const { capabilities } = factsOf(lineage.baseModel)
  const led = await tenants.putAlias(scope, {
    name,
    model,
    capabilities,
    groups: [{ members: [{ backendId: id, weight: 1 }] }],
  })
  return led instanceof Problem ? led : undefined
}

/** Every model that can be trained answers chats. */
const factsOf = (baseModel: string) =>
  modelFacts(familyOf(baseModel)) ?? {
    capabilities: ['chat' as const],
    outputTokensMax: 4_096,
    outputTokensField: 'max_tokens' as const,
  }
