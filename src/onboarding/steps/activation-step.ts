import { Problem } from '../../base/problem'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** Lets everybody of the tenant in. */
export const activationStep = ({ tenants }: Pick<OnboardingDeps, 'tenants'>): ChecklistStep<OnboardingInput> => ({
  id: 'activation',
  timeoutMs: 60_000,
  attemptsMax: 10,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const record = await tenants.transition(scope, 'activate')
    if (record instanceof Problem) return { kind: 'failed', problem: record }
    return done()
  },
})
