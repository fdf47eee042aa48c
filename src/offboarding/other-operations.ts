import type { Orchestrations, StartedOrchestration } from '../base/durable-steps'
import { idTimeMs, type TenantId } from '../base/ids'

interface Offboarded {
  readonly operationId: string
  readonly tenantId: TenantId
}

/** Those of the tenant, but for its offboarding itself. */
export const othersOf = (started: readonly StartedOrchestration[], { operationId, tenantId }: Offboarded) =>
  started.filter(({ instanceId, input }) => instanceId !== operationId && isOf(tenantId, input))

/** The library gathers all that it finds before it hands any of it over: so many operations as begin in this time are in memory. */
export const SPAN_MS = 30 * 24 * 3_600_000
/** How far the clock by which a tenant got its id, and that of the host, may differ. */
const SKEW_MS_MAX = 3_600_000

/**
 * Removes what the host keeps of the tenant's onboarding, moves and key rotations, and says which there were: their inputs have its
 * name and address, its aliases, and where its accounts are. By what the host has, not by a list of ours.
 */
export async function purgeOthers(
  orchestrations: Pick<Orchestrations, 'ended' | 'purge'>,
  offboarded: Offboarded,
  nowMs: number,
): Promise<readonly string[]> {
  const purged = new Set<string>()
  // Nothing of a tenant began before the tenant.
  for (let fromMs = idTimeMs(offboarded.tenantId) - SKEW_MS_MAX; fromMs <= nowMs + SKEW_MS_MAX; fromMs += SPAN_MS) {
    const ended = await orchestrations.ended({ fromMs, toMs: fromMs + SPAN_MS })
    for (const { instanceId } of othersOf(ended, offboarded)) {
      await orchestrations.purge(instanceId)
      purged.add(instanceId)
    }
  }
  return [...purged]
}

const isOf = (tenantId: TenantId, started: unknown) =>
  typeof started === 'object' && started !== null && 'tenantId' in started && started.tenantId === tenantId
