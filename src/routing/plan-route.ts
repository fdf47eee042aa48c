import type { BackendId, TenantId } from '../base/ids'
import type { BackendGroup } from '../tenants/snapshot'
import { isBackendFor, type Backend } from './backend'
import type { HealthView } from './health'

export type RoutePlan =
  /** Backends in the order in which to try them; at least one. `restMs`: when the first of those passed over is back, if any rests. */
  | {
      readonly kind: 'candidates'
      readonly candidates: readonly Backend[]
      readonly restMs: number | undefined
    }
  /** Every backend rests; the first is back after `waitMs`. */
  | { readonly kind: 'all-resting'; readonly waitMs: number }
  /** The alias names no backend that exists, is enabled and lies in an allowed region. */
  | { readonly kind: 'none' }

export interface RouteInput {
  readonly tenantId: TenantId
  readonly groups: readonly BackendGroup[]
  /** Regions that may serve the tenant; empty means any. */
  readonly residency: readonly string[]
  readonly backendOf: (id: BackendId) => Backend | undefined
  readonly healthOf: (id: BackendId) => HealthView
  /** Whether provisioned throughput would refuse the call. */
  readonly isSaturated: (backend: Backend) => boolean
  /** Uniform in [0, 1). */
  readonly fraction: () => number
}

/**
 * Orders the backends of an alias for one call. Groups keep their order; within a group provisioned throughput comes
 * before pay-as-you-go, except that a saturated one steps behind it (spillover), and equals are drawn by weight.
 * A backend that several groups name is tried once, in the first of them.
 */
export function planRoute(input: RouteInput): RoutePlan {
  const { groups, backendOf, healthOf, isSaturated, fraction } = input
  const candidates: Backend[] = []
  let restMs = Infinity

  for (const group of groups) {
    const ready: { backend: Backend; rank: number; key: number }[] = []
    for (const { backendId, weight } of group.members) {
      const backend = backendOf(backendId)
      if (!backend || weight <= 0 || !mayServe(backend, input) || candidates.includes(backend)) continue
      const health = healthOf(backendId)
      if (health.kind === 'resting') restMs = Math.min(restMs, health.waitMs)
      else ready.push({ backend, rank: rankOf(backend, isSaturated), key: drawKey(weight, fraction) })
    }
    ready.sort((a, b) => a.rank - b.rank || a.key - b.key)
    for (const { backend } of ready) if (!candidates.includes(backend)) candidates.push(backend)
  }

  if (candidates.length > 0) return { kind: 'candidates', candidates, restMs: restMs < Infinity ? restMs : undefined }
  return restMs < Infinity ? { kind: 'all-resting', waitMs: restMs } : { kind: 'none' }
}

function mayServe(backend: Backend, { tenantId, residency }: RouteInput): boolean {
  if (!backend.enabled || (residency.length > 0 && !residency.includes(backend.region))) return false
  // No alias can name another tenant's; were one to, by whatever fault, its calls would still not go there.
  return isBackendFor(backend, tenantId)
}

function rankOf(backend: Backend, isSaturated: RouteInput['isSaturated']): number {
  if (backend.capacity === 'ptu') return isSaturated(backend) ? 2 : 0
  return 1
}

/**
 * Sorting by an exponential variate of rate `weight` draws without replacement with probability proportional to weight
 * (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
 */
function drawKey(weight: number, fraction: () => number): number {
  return -Math.log(1 - fraction()) / weight
}
