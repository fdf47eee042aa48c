import type { Orchestrations } from '../base/durable-steps'
import type { OperationId, TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import { onboardingIdOf } from '../onboarding/onboarding-input'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { offboardingIdOf, offboardingName, type OffboardingInput } from './offboarding-input'
import type { Offboardings } from './offboardings'

export interface StartOffboardingDeps {
  readonly tenants: Tenants
  readonly offboardings: Offboardings
  readonly orchestrations: Orchestrations
}

/**
 * Freezes the tenant and starts its offboarding, or finds the one that was started; one that stopped on a failure goes on.
 * When this has answered, this instance serves the tenant no more. A tenant that never was is `not_found`.
 */
export async function startOffboarding(
  deps: StartOffboardingDeps,
  { tenantId, expects, ...input }: OffboardingInput & { tenantId: TenantId; expects: (version: number) => boolean },
): Promise<{ offboardingId: OperationId } | Problem> {
  const offboardingId = offboardingIdOf(tenantId)
  if (!(await deps.offboardings.get(tenantId))) {
    const refused = await freeze(deps, tenantId, expects)
    if (refused) return refused
  }
  await deps.orchestrations.start(offboardingName, offboardingId, { tenantId, input } satisfies ChecklistInput)
  return { offboardingId }
}

async function freeze(
  { tenants, orchestrations }: StartOffboardingDeps,
  tenantId: TenantId,
  expects: (version: number) => boolean,
): Promise<Problem | undefined> {
  const scope = TenantScope.ofPlatform(tenantId)
  const tenant = await tenants.get(scope)
  if (!tenant) return new Problem('not_found', 'There is no such tenant.')
  // Frozen by an attempt whose answer was lost: its client knows the version from before.
  if (tenant.state !== 'offboarding' && !expects(tenant.version)) return changedMeanwhile
  // An onboarding whose undoing failed leaves such a tenant behind, and this is how to be rid of it.
  const isNew = tenant.state === 'onboarding' || tenant.state === 'validating'
  if (isNew && (await orchestrations.status(onboardingIdOf(tenantId)))?.state === 'running')
    return new Problem('conflict', 'The tenant’s onboarding has not ended. Wait until it has.')
  const frozen = await tenants.transition(scope, 'begin-offboarding')
  return frozen instanceof Problem ? frozen : undefined
}

const changedMeanwhile = new Problem(
  'precondition_failed',
  'The tenant was changed since the version in If-Match. Read it again before you have it deleted.',
)
