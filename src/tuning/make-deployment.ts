import type { Arm, ArmResource } from '../azure/arm'
import { Problem } from '../base/problem'
import { familyOf } from '../datasets/training-models'
import { ensureResource, refusedByAzure } from '../provisioning/ensure-resource'
import { COGNITIVE_API_VERSION } from '../provisioning/own-deployments'
import { probeBackend, type ProbeDeps } from '../provisioning/probe-backend'
import { tenantTag } from '../provisioning/resource-names'
import type { DeploymentPlan, ModelVersion } from '../registry/model-version'
import type { Backend } from '../routing/backend'
import type { Backends } from '../routing/backends'
import type { TenantScope } from '../storage/tenant-scope'
import { modelFacts } from '../tenants/models'
import type { Tenants } from '../tenants/tenants'

const INFERENCE_API_VERSION = '2024-10-21'
/** Azure gives every tuned model this one (azure-facts 3.4). */
const MODEL_VERSION = '1'
/** A deployment that ARM calls ready answers some seconds later, and a role bites within minutes. */
export const PATIENCE_MS = 5_000

/** Of the deployment at ARM. */
export const resourceIdOf = ({ accountId, name }: DeploymentPlan) => `${accountId}/deployments/${name}`

export type Unmade =
  { readonly kind: 'not-yet'; readonly againAfterMs: number } | { readonly kind: 'failed'; readonly problem: Problem }

type Made = Unmade | { readonly kind: 'made'; readonly backend: Backend }

/** One step towards the deployment, and how calls reach it. */
export async function makeDeployment(
  { arm }: { readonly arm: Arm },
  scope: TenantScope,
  { upstream, name }: ModelVersion,
  plan: DeploymentPlan,
): Promise<Made> {
  const source = upstream.sourceAccountId ?? upstream.accountId
  const body = {
    sku: { name: plan.sku, capacity: plan.capacity },
    properties: {
      model: {
        format: 'OpenAI',
        name: upstream.model,
        version: MODEL_VERSION,
        // Of another account, which this one takes it from.
        ...(plan.accountId === source ? {} : { source }),
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
  const ensured = await ensureResource(arm, { id, apiVersion: COGNITIVE_API_VERSION, body, isAsWanted })
  if (ensured.kind === 'not-yet') return ensured
  if (ensured.kind === 'refused')
    return { kind: 'failed', problem: refusedByAzure('the deployment of the model', ensured) }
  const { ownerTenantId: _, ...account } = upstream.account
  const backend: Backend = {
    ...account,
    id: plan.backendId,
    name: `${name} of ${scope.tenantId}`,
    api: { kind: 'azure-openai', apiVersion: INFERENCE_API_VERSION },
    deployment: plan.name,
    region: upstream.region,
    capacity: 'payg',
    enabled: true,
    ownerTenantId: scope.tenantId,
    resourceId: id,
  }
  return { kind: 'made', backend }
}

/** Undefined where it answers. */
export async function tryBackend(
  deps: ProbeDeps,
  { lineage }: ModelVersion,
  backend: Backend,
): Promise<Unmade | undefined> {
  const probed = await probeBackend(deps, backend, factsOf(lineage.baseModel))
  if (probed.kind === 'answers') return undefined
  if (probed.kind !== 'refused') return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
  const text = `The model was deployed, but refuses calls: HTTP ${probed.status}, ${probed.code}.`
  return { kind: 'failed', problem: new Problem('provisioning_refused', text) }
}

export interface LeadDeps {
  readonly backends: Pick<Backends, 'create'>
  readonly tenants: Pick<Tenants, 'get' | 'putAlias' | 'setAsleep'>
}

/** The tenant's record is the last thing: its one write makes the model seen (I17). */
export async function leadTo(
  { backends, tenants }: LeadDeps,
  scope: TenantScope,
  { name, lineage }: ModelVersion,
  { id, ...backend }: Backend,
): Promise<Problem | undefined> {
  const created = await backends.create(id, backend)
  if (created instanceof Problem) return created
  const record = await tenants.get(scope)
  // What operators have said of the alias of a model that slept stays.
  if (!record?.aliases.some((alias) => alias.name === name)) {
    const model = familyOf(lineage.baseModel)
    const { capabilities } = factsOf(lineage.baseModel)
    const groups = [{ members: [{ backendId: id, weight: 1 }] }]
    const led = await tenants.putAlias(scope, { name, model, capabilities, groups })
    if (led instanceof Problem) return led
  }
  if (record?.asleep?.some(({ backendId }) => backendId === id)) {
    const awake = await tenants.setAsleep(scope, id, undefined)
    if (awake instanceof Problem) return awake
  }
  return undefined
}

/** Every model that can be trained answers chats. */
const factsOf = (baseModel: string) =>
  modelFacts(familyOf(baseModel)) ?? {
    capabilities: ['chat' as const],
    outputTokensMax: 4_096,
    outputTokensField: 'max_tokens' as const,
  }
