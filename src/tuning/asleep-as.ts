import { isDeepStrictEqual } from 'node:util'
import { Problem, ProblemError } from '../base/problem'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { AsleepBackend } from '../tenants/asleep-backend'
import type { Tenants } from '../tenants/tenants'

/** Of a model that was never seen to come up: minutes, as Azure takes. */
const WAKE_MS_DEFAULT = 180_000

/** What the tenant's record says of a model that sleeps; undefined for one that has no deployment to come back. */
export function sleeperOf(
  { id, deployment, deployTimesMs = [] }: Pick<ModelVersion, 'id' | 'deployment' | 'deployTimesMs'>,
  state: Pick<AsleepBackend, 'waking' | 'refused'>,
): AsleepBackend | undefined {
  if (deployment.kind === 'none') return undefined
  const { sinceMs, plan } = deployment
  // The longest of its own: who is told too long a wait comes late, who is told too short a one comes in vain.
  const wakeMs = deployTimesMs.length > 0 ? Math.max(...deployTimesMs) : WAKE_MS_DEFAULT
  return { backendId: plan.backendId, modelId: id, sinceMs, wakeMs, ...state }
}

/** Says it in the tenant's record, unless that says so already: this is asked every few seconds while a model comes up. */
export async function asleepAs(
  tenants: Pick<Tenants, 'get' | 'setAsleep'>,
  scope: TenantScope,
  sleeper: AsleepBackend,
): Promise<void> {
  const record = await tenants.get(scope)
  const known = record?.asleep?.find(({ backendId }) => backendId === sleeper.backendId)
  // That an attempt failed holds until the next one begins.
  const next = known?.refused && !sleeper.waking ? { refused: known.refused, ...sleeper } : sleeper
  if (!record || isDeepStrictEqual(known, next)) return
  const said = await tenants.setAsleep(scope, next.backendId, next)
  if (said instanceof Problem && said.code !== 'not_found') throw new ProblemError(said)
}
