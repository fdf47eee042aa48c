import type { TenantId } from '../base/ids'
import type { Stamp } from './stamp'

/**
 * The stamp that a new tenant is placed on, or undefined where none may take it. Its own (`reservedFor`) comes before those
 * for all; of equals the one with the fewest tenants, then the oldest, so that the choice does not depend on the order.
 */
export function placeTenant(
  stamps: readonly Stamp[],
  {
    region,
    tenantId,
    tenantsOn = () => 0,
  }: {
    region: string
    tenantId: TenantId
    /** How many tenants are placed on a stamp already. */
    tenantsOn?: (stamp: Stamp) => number
  },
): Stamp | undefined {
  const rank = ({ reservedFor }: Stamp) => (reservedFor === tenantId ? 0 : 1)
  return stamps
    .filter((stamp) => stamp.region === region && stamp.acceptsTenants)
    .filter(({ reservedFor }) => reservedFor === null || reservedFor === tenantId)
    .toSorted((a, b) => rank(a) - rank(b) || tenantsOn(a) - tenantsOn(b) || (a.id < b.id ? -1 : 1))[0]
}
