import type { TenantScope } from '../storage/tenant-scope'
import { Problem } from '../base/problem'
import { createModelsPlans } from '../provisioning/models-plan'
import { placementOf, type PlacementDeps } from '../provisioning/placement'
import type { Tenants } from '../tenants/tenants'

/**
 * The accounts that may train for a tenant, by resource id: its own where it has one, else those of its stamp. None for a tenant
 * whose models are in its own subscription: nothing is deployed there by the platform.
 */
export async function trainingAccountsOf(
  deps: PlacementDeps & { readonly tenants: Pick<Tenants, 'get'> },
  scope: TenantScope,
): Promise<readonly string[]> {
  const record = await deps.tenants.get(scope)
  if (!record || record.isolation.models === 'tenant-owned') return []
  const plans = await createModelsPlans(deps.rows).list(scope)
  const own = plans.flatMap(({ plan }) => plan.dedicated?.accountId ?? [])
  if (own.length > 0) return own
  const placement = await placementOf(deps, scope, record)
  if (placement instanceof Problem) return []
  return (await deps.stamps.read(placement.stampId))?.stamp.modelAccountIds ?? []
}
