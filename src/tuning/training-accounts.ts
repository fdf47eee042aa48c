import { Problem } from '../base/problem'
import { createModelsPlans } from '../provisioning/models-plan'
import { placementOf, type PlacementDeps } from '../provisioning/placement'
import type { Account } from '../files/account-files'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'

/** An account that may train for a tenant, and how the platform shows there who it is. */
export interface TrainingPlace extends Pick<Account, 'credential' | 'ownerTenantId' | 'directoryId'> {
  /** Its ARM id. */
  readonly accountId: string
}

/**
 * The accounts that may train for a tenant: its own where it has one, else those of its stamp. One in the tenant's own subscription is
 * among them where the record names it; whether ARM lets the platform reach it, is seen when it is asked for.
 */
export async function trainingAccountsOf(
  deps: PlacementDeps & { readonly tenants: Pick<Tenants, 'get'> },
  scope: TenantScope,
): Promise<readonly TrainingPlace[]> {
  const record = await deps.tenants.get(scope)
  if (!record) return []
  const { isolation, ownAccount } = record
  if (isolation.models === 'tenant-owned') {
    if (ownAccount?.resourceId === undefined) return []
    const { resourceId: accountId, credential, directoryId } = ownAccount
    return [{ accountId, credential, ownerTenantId: scope.tenantId, directoryId }]
  }
  return (await accountIdsOf(deps, scope, record)).map((accountId) => ({
    accountId,
    credential: { kind: 'identity' as const },
  }))
}

async function accountIdsOf(
  deps: PlacementDeps,
  scope: TenantScope,
  record: Parameters<typeof placementOf>[2],
): Promise<readonly string[]> {
  const plans = await createModelsPlans(deps.rows).list(scope)
  const own = plans.flatMap(({ plan }) => plan.dedicated?.accountId ?? [])
  if (own.length > 0) return own
  const placement = await placementOf(deps, scope, record)
  if (placement instanceof Problem) return []
  return (await deps.stamps.read(placement.stampId))?.stamp.modelAccountIds ?? []
}
