import type { Arm } from '../azure/arm'
import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import { parseBackendId, parseModelId, type BackendId, type ModelId } from '../base/ids'
import { Problem } from '../base/problem'
import { done, type Checklist, type ChecklistStep, type Operation, type StepOutcome } from '../checklists/checklist'
import { deploymentNameOf } from '../provisioning/resource-names'
import { tunedModelName, type ModelEvent, type ModelVersion } from '../registry/model-version'
import { withEvent, type NewModelVersion, type Registry } from '../registry/registry'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { ModelDeployments } from '../tuning/model-deployments'
import type { CopyInput } from './copy-request'
import { leadAliases, withBehind, without } from './lead-aliases'
import { findAccount, type FoundAccount } from './region-accounts'

export const copyName = 'copy-model'

export interface CopyDeps {
  readonly registry: Pick<Registry, 'get' | 'register' | 'change' | 'remove'>
  readonly deployments: Pick<ModelDeployments, 'ensure' | 'remove'>
  readonly tenants: Pick<Tenants, 'get' | 'leadAlias'>
  readonly arm: Arm
  readonly clock: Clock
}

type Step = ChecklistStep<CopyInput>
/** Azure copies a model of some gigabytes between regions before it deploys it. */
const bounds = { timeoutMs: 24 * 3_600_000, attemptsMax: 100 }
const PATIENCE_MS = 15_000

/**
 * Deploys a tuned model in another region's account, which takes it from the account that trained it (`model.source`, azure-facts 3.4).
 * The copy is a version of its own in the registry: so it is booked, shown, moved and deleted with all the others, and does not sleep.
 * What fails is undone in reverse.
 */
export const copyChecklist = (deps: CopyDeps): Checklist<CopyInput> => ({
  name: copyName,
  onFailure: 'undo',
  steps: [registerStep(deps), deployStep(deps), leadStep(deps), noteStep(deps)],
})

const registerStep = ({ registry, deployments, tenants, arm, clock }: CopyDeps): Step => ({
  id: 'register',
  ...bounds,
  do: async (operation) => {
    const scope = TenantScope.ofPlatform(operation.tenantId)
    const id = copyIdOf(operation)
    if (await registry.get(scope, id)) return done({ modelId: id })
    const [record, source] = [await tenants.get(scope), await registry.get(scope, operation.input.modelId)]
    if (!record || !source) return { kind: 'failed', problem: noModel }
    const { accountIds, region } = operation.input
    const found = await findAccount(arm, accountIds, { residency: record.residency, region })
    if (found.kind === 'unsure') return { kind: 'not-yet', againAfterMs: PATIENCE_MS }
    if (found.kind === 'none') return { kind: 'failed', problem: noAccount }
    await registry.register(scope, copyOf(operation, source, found, clock.now()))
    return done({ modelId: id, region: found.region })
  },
  // A deployment that would not go when its own step was undone keeps its version: only by that it is ever found.
  undo: async (operation) => {
    const undeployed = await undeploy(deployments, operation)
    if (undeployed.kind !== 'done') return undeployed
    await registry.remove(TenantScope.ofPlatform(operation.tenantId), copyIdOf(operation))
    return done()
  },
})

/** On its way to being deployed: what a crash leaves of it at Azure is found by that (D1 of model-deployments). */
function copyOf(
  operation: Operation<CopyInput>,
  source: ModelVersion,
  { accountId, region, account }: Extract<FoundAccount, { kind: 'found' }>,
  nowMs: number,
): NewModelVersion {
  const { tenantId, input } = operation
  const id = copyIdOf(operation)
  const name = deploymentNameOf(tenantId, id.slice('mdl_'.length))
  const plan = { accountId, name, sku: input.sku, capacity: input.capacity, backendId: backendOf(id) }
  return {
    id,
    name: tunedModelName(id, source.lineage),
    family: source.family,
    registeredAt: nowMs,
    lineage: { ...source.lineage, copyOf: source.id },
    training: source.training,
    upstream: {
      model: source.upstream.model,
      accountId,
      account,
      region,
      sourceAccountId: source.upstream.sourceAccountId ?? source.upstream.accountId,
    },
    deployment: { kind: 'deploying', plan, sinceMs: nowMs },
  }
}

const deployStep = ({ deployments }: CopyDeps): Step => ({
  id: 'deploy',
  ...bounds,
  do: async (operation): Promise<StepOutcome> => {
    const { tenantId, operationId, input } = operation
    const { sku, capacity } = input
    const deployed = await deployments.ensure(
      TenantScope.ofPlatform(tenantId),
      copyIdOf(operation),
      { sku, capacity },
      operationId,
    )
    return deployed.kind === 'ready' ? done() : deployed
  },
  undo: (operation) => undeploy(deployments, operation),
})

async function undeploy(deployments: CopyDeps['deployments'], operation: Operation<CopyInput>) {
  const scope = TenantScope.ofPlatform(operation.tenantId)
  const removed = await deployments.remove(scope, copyIdOf(operation), { kind: 'removed', by: operation.operationId })
  return removed.kind === 'removed' ? done() : removed
}

const leadStep = ({ tenants }: CopyDeps): Step => ({
  id: 'lead',
  ...bounds,
  applies: ({ lead }) => lead === 'behind',
  do: async (operation) => {
    const copy = backendOf(copyIdOf(operation))
    const led = await leadAliases(tenants, TenantScope.ofPlatform(operation.tenantId), (groups) =>
      withBehind(groups, backendOf(operation.input.modelId), copy),
    )
    return done({ aliases: led.join(', ') })
  },
  undo: async (operation) => {
    const copy = backendOf(copyIdOf(operation))
    await leadAliases(tenants, TenantScope.ofPlatform(operation.tenantId), (groups) => without(groups, copy))
  },
})

const noteStep = ({ registry, clock }: CopyDeps): Step => ({
  id: 'note',
  ...bounds,
  do: async (operation) => {
    const scope = TenantScope.ofPlatform(operation.tenantId)
    const copy = await registry.get(scope, copyIdOf(operation))
    if (!copy) return { kind: 'failed', problem: noModel }
    const detail = `${copy.id}, in ${copy.upstream.region}`
    await registry.change(scope, operation.input.modelId, (model) =>
      withEventOnce(model, { atMs: clock.now(), kind: 'copied', by: operation.operationId, detail }),
    )
    return done({ modelId: copy.id, name: copy.name })
  },
})

/** A repeated step notes nothing twice. */
export const withEventOnce = (model: ModelVersion, event: ModelEvent): ModelVersion =>
  model.history.some(({ kind, by }) => kind === event.kind && by === event.by) ? model : withEvent(model, event)

/** One operation makes one copy, whoever repeats it. */
export function copyIdOf({ operationId }: Pick<Operation<CopyInput>, 'operationId'>): ModelId {
  const id = parseModelId(`mdl_${operationId.slice(operationId.indexOf('_') + 1)}`)
  assert(id, 'a copy is made under the id of an operation')
  return id
}

/** As every tuned model's backend is called. */
export function backendOf(id: ModelId): BackendId {
  const backendId = parseBackendId(`bke_${id.slice('mdl_'.length)}`)
  assert(backendId, 'a model’s id and its backend’s have one body')
  return backendId
}

const noModel = new Problem('not_found', 'There is no such model (any more).')
const noAccount = new Problem('no_stamp', 'No account of the stamps there is ready, and in the tenant’s regions.')
