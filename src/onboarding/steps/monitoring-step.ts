import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** Enters the tenant's contact as the one whom alerts about the tenant go to. */
export const monitoringStep = ({
  alertReceivers,
}: Pick<OnboardingDeps, 'alertReceivers'>): ChecklistStep<OnboardingInput> => ({
  id: 'monitoring',
  timeoutMs: 60_000,
  attemptsMax: 10,
  do: async ({ tenantId, input }) => {
    await alertReceivers.put(TenantScope.ofPlatform(tenantId), { email: input.tenant.contact.email })
    return done({ alertsTo: input.tenant.contact.email })
  },
  undo: ({ tenantId }) => alertReceivers.remove(TenantScope.ofPlatform(tenantId)),
})
