import type { Orchestrations } from '../base/durable-steps'
import type { OperationId, TenantId } from '../base/ids'
import type { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { TenantInput } from '../tenants/tenant-input'
import type { Tenants } from '../tenants/tenants'
import { onboardingIdOf, onboardingName, type OnboardingInput } from './onboarding-input'

/**
 * Starts the tenant's onboarding once its input is known to be sound; nothing is made before. Started again for the same
 * tenant it is the same orchestration.
 */
export async function startOnboarding(
  { tenants, orchestrations }: { tenants: Pick<Tenants, 'check'>; orchestrations: Orchestrations },
  { tenantId, input, needsApproval }: { tenantId: TenantId; input: TenantInput; needsApproval: boolean },
): Promise<{ tenantId: TenantId; onboardingId: OperationId } | Problem> {
  const fault = await tenants.check(tenantId, input)
  if (fault) return fault
  const onboardingId = onboardingIdOf(tenantId)
  const onboarding: OnboardingInput = { tenant: input, needsApproval }
  await orchestrations.start(onboardingName, onboardingId, { tenantId, input: onboarding } satisfies ChecklistInput)
  return { tenantId, onboardingId }
}
