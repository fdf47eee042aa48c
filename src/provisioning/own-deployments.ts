import type { Arm, ArmResource } from '../azure/arm'
import { assertNever } from '../base/assert'
import type { TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import { ensureResource, refusedByAzure, removeResource, type Ensured } from './ensure-resource'
import {
  chooseAccount,
  deploymentIdOf,
  type ModelsPlan,
  type ModelsPlans,
  type PlannedDeployment,
  type StoredPlan,
} from './models-plan'
import type { Placement } from './placement'
import { ensureRole, roles, removeRole, subscriptionOf } from './role-assignments'
import { tenantTag, type Generation } from './resource-names'

/** Of accounts and deployments; the oldest that has all that is needed here. */
export const COGNITIVE_API_VERSION = '2024-10-01'
const INFERENCE_API_VERSION = '2024-10-21'
const AGAIN_MS = 1_000
/** The name of an account is kept for 48 hours after its deletion, unless it is purged. */
const KEPT_AFTER_DELETION = 'FlagMustBeSetForRestore'

export type Made =
  | { readonly kind: 'made'; readonly backends: readonly { readonly alias: string; readonly backend: Backend }[] }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

export interface MakeDeps {
  readonly arm: Arm
  readonly plans: ModelsPlans
  /** The accounts of the tenant's stamp, as they are now: to go on in another one where quota has run out. */
  readonly sharedAccounts: (
    placement: Placement,
  ) => Promise<{ readonly ids: readonly string[]; readonly backends: readonly Backend[] }>
}

/**
 * One step towards everything of the plan: the account, the platform's role on it, then one deployment after the other,
 * since an account takes one change at a time. Changes of other tenants' meet ARM's own refusal, which is `not-yet`.
 */
export async function makeDeployments(deps: MakeDeps, scope: TenantScope, generation: Generation): Promise<Made> {
  const kept = await deps.plans.get(scope, generation)
  if (!kept) return { kind: 'not-yet', againAfterMs: AGAIN_MS }
  const { plan } = kept
  const account = plan.dedicated && (await ensureAccount(deps.arm, scope.tenantId, plan.dedicated))
  if (account && account.kind !== 'ready') return pending('the account', account)

  const backends: { alias: string; backend: Backend }[] = []
  for (const planned of plan.deployments) {
    const ensured = await ensureDeployment(deps.arm, scope.tenantId, planned)
    if (ensured.kind === 'refused' && isQuota(ensured) && !plan.dedicated)
      return tryElsewhere(deps, scope, { kept, planned, refusal: ensured })
    if (ensured.kind !== 'ready') return pending(`the deployment for the alias "${planned.alias}"`, ensured)
    const parent = await deps.arm.get(planned.accountId, COGNITIVE_API_VERSION)
    if (parent.kind === 'under-way' || parent.kind === 'busy')
      return { kind: 'not-yet', againAfterMs: parent.againAfterMs }
    if (parent.kind !== 'ready') return { kind: 'not-yet', againAfterMs: AGAIN_MS }
    backends.push({ alias: planned.alias, backend: backendOf(scope.tenantId, planned, parent.resource) })
  }
  return { kind: 'made', backends }
}

function pending(what: string, ensured: Exclude<Ensured, { kind: 'ready' }>): Made {
  switch (ensured.kind) {
    case 'not-yet':
      return ensured
    case 'refused':
      return { kind: 'failed', problem: refusedByAzure(what, ensured) }
    default:
      return assertNever(ensured)
  }
}

async function ensureAccount(
  arm: Arm,
  tenantId: TenantId,
  { accountId, region }: NonNullable<ModelsPlan['dedicated']>,
): Promise<Ensured> {
  const name = accountId.slice(accountId.lastIndexOf('/') + 1)
  const properties = { customSubDomainName: name, publicNetworkAccess: 'Enabled', disableLocalAuth: true }
  const body = { kind: 'OpenAI', sku: { name: 'S0' }, location: region, tags: { [tenantTag]: tenantId }, properties }
  const isAsWanted = ({ tags }: ArmResource) => tags?.[tenantTag] === tenantId
  const ensured = await ensureResource(arm, { id: accountId, apiVersion: COGNITIVE_API_VERSION, body, isAsWanted })
  if (ensured.kind === 'refused' && ensured.code === KEPT_AFTER_DELETION) {
    const purged = await removeResource(arm, deletedAccountId(accountId, region), COGNITIVE_API_VERSION)
    return { kind: 'not-yet', againAfterMs: purged === true ? AGAIN_MS : purged.againAfterMs }
  }
  return ensured.kind === 'ready' ? ensureRole(arm, accountId, roles.openAiUser) : ensured
}

function ensureDeployment(arm: Arm, tenantId: TenantId, planned: PlannedDeployment): Promise<Ensured> {
  const { model, modelVersion, sku, capacity } = planned
  const body = {
    sku: { name: sku, capacity },
    // Never another version by itself: a tenant's answers change when the tenant wants it.
    properties: {
      model: { format: 'OpenAI', name: model, version: modelVersion },
      versionUpgradeOption: 'NoAutoUpgrade',
    },
    tags: { [tenantTag]: tenantId },
  }
  const isAsWanted = ({ properties, sku: has }: ArmResource) => {
    const of = properties['model'] as { name?: unknown; version?: unknown } | undefined
    return of?.name === model && of.version === modelVersion && has?.capacity === capacity
  }
  return ensureResource(arm, { id: deploymentIdOf(planned), apiVersion: COGNITIVE_API_VERSION, body, isAsWanted })
}

/** Azure's codes for no quota in the region and subscription, and no capacity in the region. */
const isQuota = ({ code }: { code: string }) =>
  code === 'InsufficientQuota' || code === 'InsufficientResources' || code === 'QuotaExceeded'

/** The plan names another account for this deployment; what is left of it where it failed goes first. */
async function tryElsewhere(
  deps: MakeDeps,
  scope: TenantScope,
  {
    kept,
    planned,
    refusal,
  }: { kept: StoredPlan; planned: PlannedDeployment; refusal: { code: string; message: string } },
): Promise<Made> {
  const { plan } = kept
  const passed = [...planned.passed, planned.accountId]
  const { ids, backends } = await deps.sharedAccounts(plan.placement)
  const untried = ids.filter((id) => !passed.some((tried) => tried.toLowerCase() === id.toLowerCase()))
  const accountId = chooseAccount(untried, backends)
  if (accountId === undefined) {
    const text = `No account of the stamp has room for the alias "${planned.alias}": ${refusal.code}: ${refusal.message}`
    return { kind: 'failed', problem: new Problem('no_stamp', text) }
  }
  const removed = await removeResource(deps.arm, deploymentIdOf(planned), COGNITIVE_API_VERSION)
  if (removed !== true) return { kind: 'not-yet', againAfterMs: removed.againAfterMs }
  const moved = { ...planned, accountId, passed }
  const deployments = plan.deployments.map((other) => (other.alias === planned.alias ? moved : other))
  await deps.plans.replace(scope, { ...kept, plan: { ...plan, deployments } })
  return { kind: 'not-yet', againAfterMs: AGAIN_MS }
}

function backendOf(tenantId: TenantId, planned: PlannedDeployment, account: ArmResource): Backend {
  const endpoint = account.properties['endpoint']
  if (typeof endpoint !== 'string') throw new Error(`${account.id} has no endpoint`)
  return {
    id: planned.backendId,
    name: `${planned.alias} of ${tenantId}`,
    api: { kind: 'azure-openai', apiVersion: INFERENCE_API_VERSION },
    endpoint: endpoint.replace(/\/+$/, ''),
    deployment: planned.name,
    credential: { kind: 'identity' },
    // ARM writes regions either way, "Sweden Central" and "swedencentral".
    region: (account.location ?? '').toLowerCase().replaceAll(' ', ''),
    capacity: planned.sku.endsWith('ProvisionedManaged') ? 'ptu' : 'payg',
    enabled: true,
    ownerTenantId: tenantId,
    resourceId: deploymentIdOf(planned),
  }
}

/** One step towards nothing of the plan being left: true; or how long to wait before asking again. */
export async function removeDeployments(arm: Arm, plan: ModelsPlan): Promise<true | { againAfterMs: number }> {
  for (const planned of plan.deployments) {
    const removed = await removeResource(arm, deploymentIdOf(planned), COGNITIVE_API_VERSION)
    if (removed !== true) return removed
  }
  if (!plan.dedicated) return true
  const { accountId, region } = plan.dedicated
  // A role on a resource that is gone would stay behind as an entry for nothing.
  const role = await removeRole(arm, accountId, roles.openAiUser)
  if (role !== true) return role
  const account = await removeResource(arm, accountId, COGNITIVE_API_VERSION)
  if (account !== true) return account
  return removeResource(arm, deletedAccountId(accountId, region), COGNITIVE_API_VERSION)
}

/** How many resources of the plan are still there, in whatever state. */
export async function countDeployments(arm: Arm, plan: ModelsPlan): Promise<number> {
  const { dedicated, deployments } = plan
  const ids = [
    ...deployments.map(deploymentIdOf),
    ...(dedicated ? [dedicated.accountId, deletedAccountId(dedicated.accountId, dedicated.region)] : []),
  ]
  const found = await Promise.all(ids.map((id) => arm.get(id, COGNITIVE_API_VERSION)))
  return found.filter(({ kind }) => kind !== 'gone').length
}

/** Where a deleted account waits for its purge. */
function deletedAccountId(accountId: string, region: string): string {
  const [, , , , group = ''] = accountId.split('/')
  const name = accountId.slice(accountId.lastIndexOf('/') + 1)
  const provider = `${subscriptionOf(accountId)}/providers/Microsoft.CognitiveServices`
  return `${provider}/locations/${region}/resourceGroups/${group}/deletedAccounts/${name}`
}
