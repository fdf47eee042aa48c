import { assertNever } from '../base/assert'
import type { Orchestrations } from '../base/durable-steps'
import type { ModelId, OperationId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { ModelVersion } from '../registry/model-version'
import type { Registry } from '../registry/registry'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { DeployInput } from './hosting-input'
import { hostingName, type HostingOrder } from './hosting-order'
import { leadsToModel } from './leads-to-model'

export interface HostingStartDeps {
  readonly registry: Pick<Registry, 'get'>
  readonly tenants: Pick<Tenants, 'get'>
  readonly orchestrations: Pick<Orchestrations, 'start' | 'status'>
}

interface Asked {
  readonly modelId: ModelId
  readonly operationId: OperationId
  readonly by: string
}

const noModel = new Problem('not_found', 'There is no such model.')

/** Begins a deployment that somebody asked for; what stands in its way is said here. Repeated under the same operation it is one. */
export async function deployModel(
  deps: HostingStartDeps,
  scope: TenantScope,
  { modelId, operationId, by, wish }: Asked & { readonly wish: DeployInput },
): Promise<OperationId | Problem> {
  if (await deps.orchestrations.status(operationId)) return operationId
  const model = await deps.registry.get(scope, modelId)
  if (!model) return noModel
  return faultOfDeploy(model) ?? begin(deps, scope, operationId, { kind: 'deploy', modelId, wish, by })
}

/** The same for taking its deployment away for good; the model itself stays. */
export async function undeployModel(
  deps: HostingStartDeps,
  scope: TenantScope,
  { modelId, operationId, by }: Asked,
): Promise<OperationId | Problem> {
  if (await deps.orchestrations.status(operationId)) return operationId
  const [model, record] = await Promise.all([deps.registry.get(scope, modelId), deps.tenants.get(scope)])
  if (!model || !record) return noModel
  const fault = faultOfUndeploy(model) ?? leadsToModel(record, model)
  return fault ?? begin(deps, scope, operationId, { kind: 'undeploy', modelId, by })
}

async function begin(
  { orchestrations }: HostingStartDeps,
  { tenantId }: TenantScope,
  operationId: OperationId,
  order: HostingOrder,
): Promise<OperationId> {
  await orchestrations.start(hostingName, operationId, { tenantId, input: order } satisfies ChecklistInput)
  return operationId
}

function faultOfDeploy({ archivedAt, deployment, upstream }: ModelVersion): Problem | undefined {
  if (archivedAt !== undefined) return new Problem('conflict', 'The model is archived. Restore it first.')
  if (upstream.accountId === undefined) {
    const text =
      'The account that has this model is not reached through Azure Resource Manager. Deploy the model there, and ask the operators to add the deployment as a backend.'
    return new Problem('conflict', text)
  }
  switch (deployment.kind) {
    case 'none':
    case 'asleep':
      return undefined
    case 'deployed':
      return new Problem('conflict', 'The model is deployed already. Undeploy it first to deploy it otherwise.')
    case 'deploying':
      return new Problem('conflict', 'The model is being deployed already.')
    case 'removing':
      return new Problem('conflict', 'The deployment of the model is being removed. Wait until it is gone.')
    default:
      return assertNever(deployment)
  }
}

function faultOfUndeploy({ deployment }: ModelVersion): Problem | undefined {
  if (deployment.kind === 'none') return new Problem('conflict', 'The model is not deployed.')
  return deployment.kind === 'removing' && deployment.to === 'none'
    ? new Problem('conflict', 'The deployment of the model is being removed already.')
    : undefined
}
