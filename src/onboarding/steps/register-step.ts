import { Problem } from '../../base/problem'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** Makes the record, in state `onboarding`. */
export const registerStep = ({ tenants }: Pick<OnboardingDeps, 'tenants'>): ChecklistStep<OnboardingInput> => ({
  id: 'register',
  timeoutMs: 60_000,
  attemptsMax: 10,
  do: async ({ tenantId, input }) => {
    const record = await tenants.register(tenantId, input.tenant)
    return record instanceof Problem ? { kind: 'failed', problem: record } : done({ tenantId })
  },
  undo: ({ tenantId }) => tenants.remove(TenantScope.ofPlatform(tenantId)),
})
