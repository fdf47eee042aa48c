import { assertNever } from '../base/assert'
import { parseBackendId } from '../base/ids'
import { deploymentNameOf } from '../provisioning/resource-names'
import type { DeploymentPlan, ModelDeployment, ModelVersion } from '../registry/model-version'
import { withEvent } from '../registry/registry'
import type { TenantScope } from '../storage/tenant-scope'
import type { DeployWish } from './tuning-job'

/** On its way to being deployed, by its plan; as it is where it is on its way already, or cannot be yet (D3). Pure, as all here. */
export function planned(
  scope: TenantScope,
  model: ModelVersion,
  wish: DeployWish | undefined,
  nowMs: number,
): ModelVersion {
  const { deployment, upstream } = model
  switch (deployment.kind) {
    case 'deployed':
    case 'deploying':
      return model
    case 'asleep':
      return {
        ...model,
        deployment: { kind: 'deploying', plan: { ...deployment.plan, ...wish }, sinceMs: nowMs, isWoken: true },
      }
    case 'removing': {
      // Nothing of it has gone yet (D3).
      const { plan, to, isDrained } = deployment
      if (to !== 'asleep' || isDrained) return model
      return { ...model, deployment: { kind: 'deploying', plan, sinceMs: nowMs, isWoken: true } }
    }
    case 'none': {
      const { accountId } = upstream
      const body = model.id.slice('mdl_'.length)
      const backendId = parseBackendId(`bke_${body}`)
      if (!wish || accountId === undefined || !backendId) return model
      const plan: DeploymentPlan = { accountId, name: deploymentNameOf(scope.tenantId, body), backendId, ...wish }
      return { ...model, deployment: { kind: 'deploying', plan, sinceMs: nowMs } }
    }
    default:
      return assertNever(deployment)
  }
}

/** On its way to being gone; as it is where there is nothing to go, or where it is not `asIf` it was looked at. */
export function leaving(
  model: ModelVersion,
  {
    to,
    drainMs,
    asIf,
    nowMs,
  }: { to: 'asleep' | 'none'; drainMs: number; asIf: ModelDeployment | undefined; nowMs: number },
): ModelVersion {
  const { deployment } = model
  if (asIf && (asIf.kind !== deployment.kind || sinceOf(asIf) !== sinceOf(deployment))) return model
  switch (deployment.kind) {
    case 'none':
      return model
    case 'asleep':
      if (to === 'asleep') return model
      return { ...model, deployment: { kind: 'removing', plan: deployment.plan, sinceMs: nowMs, to, isDrained: true } }
    case 'removing':
      // What sleeps may still go for good, and not the other way round.
      return to === 'none' && deployment.to === 'asleep' ? { ...model, deployment: { ...deployment, to } } : model
    case 'deploying':
    case 'deployed': {
      const { plan } = deployment
      return { ...model, deployment: { kind: 'removing', plan, sinceMs: nowMs, to, isDrained: drainMs === 0 } }
    }
    default:
      return assertNever(deployment)
  }
}

const sinceOf = (deployment: ModelDeployment) => (deployment.kind === 'none' ? undefined : deployment.sinceMs)

/** `sinceMsMax`: what has been left so long ago has no calls any more. */
export function drained(model: ModelVersion, sinceMsMax: number): ModelVersion {
  const { deployment } = model
  if (deployment.kind !== 'removing' || deployment.isDrained || deployment.sinceMs > sinceMsMax) return model
  return { ...model, deployment: { ...deployment, isDrained: true } }
}

/** What was on its way is gone, at `atMs`. */
export function gone(
  model: ModelVersion,
  { by, detail }: { readonly by: string; readonly detail?: string | undefined },
  atMs: number,
): ModelVersion {
  const { deployment } = model
  if (deployment.kind !== 'removing') return model
  const { plan, to } = deployment
  const isAsleep = to === 'asleep'
  return withEvent(
    { ...model, deployment: isAsleep ? { kind: 'asleep', plan, sinceMs: atMs } : { kind: 'none' } },
    { atMs, kind: isAsleep ? 'asleep' : 'removed', by, ...(detail === undefined ? {} : { detail }) },
  )
}
