import type { Orchestrations } from '../base/durable-steps'
import type { OperationId, TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { offboardingIdOf, offboardingName, type OffboardingInput } from './offboarding-input'
import type { Offboardings } from './offboardings'

/**
 * Starts a tenant's offboarding, or finds the one that was started; one that stopped on a failure goes on. A tenant that
 * never was is `not_found`.
 */
export async function startOffboarding(
  {
    tenants,
    offboardings,
    orchestrations,
  }: { tenants: Tenants; offboardings: Offboardings; orchestrations: Orchestrations },
  { tenantId, expects, ...input }: OffboardingInput & { tenantId: TenantId; expects: (version: number) => boolean },
): Promise<{ offboardingId: OperationId } | Problem> {
  const offboardingId = offboardingIdOf(tenantId)
  const begun = await offboardings.get(tenantId)
  if (!begun) {
    const tenant = await tenants.get(TenantScope.ofPlatform(tenantId))
    if (!tenant) return new Problem('not_found', 'There is no such tenant.')
    if (!expects(tenant.version)) return changedMeanwhile
    if (tenant.state === 'onboarding' || tenant.state === 'validating')
      return new Problem('conflict', 'The tenant’s onboarding has not ended. Wait until it has.')
  }
  await orchestrations.start(offboardingName, offboardingId, { tenantId, input } satisfies ChecklistInput)
  return { offboardingId }
}

const changedMeanwhile = new Problem(
  'precondition_failed',
  'The tenant was changed since the version in If-Match. Read it again before you have it deleted.',
)
