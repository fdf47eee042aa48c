import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** The tenant's data key, stored wrapped only (I18). */
export const dataKeyStep = ({ keyring }: Pick<OnboardingDeps, 'keyring'>): ChecklistStep<OnboardingInput> => ({
  id: 'data-key',
  timeoutMs: 120_000,
  attemptsMax: 10,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    await keyring.create(scope)
    const [version] = await keyring.versions(scope)
    return done({ dataKeyWrappedBy: version?.wrappedBy ?? '' })
  },
  undo: ({ tenantId }) => keyring.destroy(TenantScope.ofPlatform(tenantId)),
})
