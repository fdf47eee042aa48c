import type { BackendId } from '../base/ids'
import type { ModelDeployment } from '../registry/model-version'
import { IDLE_HOURS_MAX, type TenantSettings } from '../tenants/snapshot'
import { HOSTING_OPERATION } from './hosting-entry'
import { HOUR_MS } from './hosting-meter'

export const IDLE_MS_MAX = IDLE_HOURS_MAX * HOUR_MS

/** How long a tenant's tuned models may go without a call: never as long as Azure lets them. */
export const idleMsOf = ({ tunedModels }: Pick<TenantSettings, 'tunedModels'>, defaultMs: number): number =>
  Math.min(IDLE_MS_MAX, tunedModels?.idleHours === undefined ? defaultMs : tunedModels.idleHours * HOUR_MS)

/** Calls in the time that is looked at, by alias, backend and operation. */
export interface UseRow {
  readonly alias?: string | undefined
  readonly backend?: string | null | undefined
  readonly operation?: string | undefined
  readonly calls: number
  readonly unsettled: number
}

/**
 * Whether a deployment has gone without a call for as long as it may; pure. `uses` are of the last `idleMs`. A call that has not ended
 * has no backend yet: it counts for all that its alias leads to. Hours that were hosted are no calls.
 */
export function isIdle({
  deployment,
  aliases,
  uses,
  idleMs,
  nowMs,
}: {
  deployment: ModelDeployment
  /** That lead to it. */
  aliases: ReadonlySet<string>
  uses: readonly UseRow[]
  idleMs: number
  nowMs: number
}): boolean {
  if (!mayBeIdle(deployment, { idleMs, nowMs })) return false
  const { backendId } = deployment.plan
  return !uses.some((row) => row.operation !== HOSTING_OPERATION && isUseOf(row, backendId, aliases))
}

/** Before that nobody need ask what it was used for. */
export const mayBeIdle = (
  deployment: ModelDeployment,
  { idleMs, nowMs }: { idleMs: number; nowMs: number },
): deployment is Extract<ModelDeployment, { kind: 'deployed' }> =>
  deployment.kind === 'deployed' && nowMs - deployment.sinceMs >= idleMs

const isUseOf = ({ alias, backend, calls, unsettled }: UseRow, id: BackendId, aliases: ReadonlySet<string>): boolean =>
  (backend === id && calls > 0) || (unsettled > 0 && alias !== undefined && aliases.has(alias))
