import type { Orchestrations, StartedOrchestration } from '../base/durable-steps'
import type { TenantId } from '../base/ids'

interface Offboarded {
  readonly operationId: string
  readonly tenantId: TenantId
}

/** Those of the tenant, but for its offboarding itself. */
export const othersOf = (started: readonly StartedOrchestration[], { operationId, tenantId }: Offboarded) =>
  started.filter(({ instanceId, input }) => instanceId !== operationId && isOf(tenantId, input))

/**
 * Removes what the host keeps of the tenant's onboarding, moves and key rotations, and says which there were: their inputs have its
 * name and address, its aliases, and where its accounts are. By what the host has, not by a list of ours.
 */
export async function purgeOthers(
  orchestrations: Pick<Orchestrations, 'ended' | 'purge'>,
  offboarded: Offboarded,
): Promise<readonly string[]> {
  const others = othersOf(await orchestrations.ended(), offboarded).map(({ instanceId }) => instanceId)
  for (const instanceId of others) await orchestrations.purge(instanceId)
  return others
}

const isOf = (tenantId: TenantId, started: unknown) =>
  typeof started === 'object' && started !== null && 'tenantId' in started && started.tenantId === tenantId
