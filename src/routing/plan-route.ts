import type { BackendId, TenantId } from '../base/ids'
import type { BackendGroup } from '../tenants/snapshot'
import { isBackendFor, type Backend } from './backend'
import type { HealthView } from './health'

export type RoutePlan =
  /** Backends in the order in which to try them; at least one. */
  | { readonly kind: 'candidates'; readonly candidates: readonly Backend[] }
  /** Every backend rests; the first is back after `waitMs`. */
  | { readonly kind: 'all-resting'; readonly waitMs: number }
  /** The alias names no backend that exists, is enabled and lies in an allowed region. */
  | { readonly kind: 'none' }

interface RouteInput {
  readonly tenantId: TenantId
  readonly groups: readonly BackendGroup[]
  /** Regions that may serve the tenant; empty means any. */
  readonly residency: readonly string[]
  readonly backendOf: (id: BackendId) => Backend | undefined
  readonly healthOf: (id: BackendId) => HealthView
  /** Uniform in [0, 1). */
  readonly fraction: () => number
}

/**
 * Orders the backends of an alias for one call. Groups keep their order; within a group provisioned throughput comes
 * before pay-as-you-go, except that a saturated one steps behind it (spillover), and equals are drawn by weight.
 */
export function planRoute({ tenantId, groups, residency, backendOf, healthOf, fraction }: RouteInput): RoutePlan {
  const candidates: Backend[] = []
  let shortestWaitMs = Infinity

  for (const group of groups) {
    const ready: { backend: Backend; rank: number; key: number }[] = []
    for (const { backendId, weight } of group.members) {
      const backend = backendOf(backendId)
      if (!backend?.enabled || weight <= 0 || !mayServe(backend, residency)) continue
      // No alias can name another tenant's; were one to, by whatever fault, its calls would still not go there.
      if (!isBackendFor(backend, tenantId)) continue
      const health = healthOf(backendId)
      if (health.kind === 'resting') shortestWaitMs = Math.min(shortestWaitMs, health.waitMs)
      else ready.push({ backend, rank: rankOf(backend, health.saturated), key: drawKey(weight, fraction) })
    }
    ready.sort((a, b) => a.rank - b.rank || a.key - b.key)
    for (const { backend } of ready) candidates.push(backend)
  }

  if (candidates.length > 0) return { kind: 'candidates', candidates }
  return shortestWaitMs < Infinity ? { kind: 'all-resting', waitMs: shortestWaitMs } : { kind: 'none' }
}

function mayServe(backend: Backend, residency: readonly string[]): boolean {
  return residency.length === 0 || residency.includes(backend.region)
}

function rankOf(backend: Backend, saturated: boolean): number {
  if (backend.capacity === 'ptu') return saturated ? 2 : 0
  return 1
}

/**
 * Sorting by an exponential variate of rate `weight` draws without replacement with probability proportional to weight
 * (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
 */
function drawKey(weight: number, fraction: () => number): number {
  return -Math.log(1 - fraction()) / weight
}
