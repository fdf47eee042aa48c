import { done, type ChecklistStep } from '../../checklists/checklist'
import { credentialsFact } from '../../checklists/operation-view'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** Opens the one-time link to the first key, and says where to read on. */
export const notificationStep = ({
  credentialLinks,
  publicUrl,
}: Pick<OnboardingDeps, 'credentialLinks' | 'publicUrl'>): ChecklistStep<OnboardingInput> => ({
  id: 'notification',
  timeoutMs: 60_000,
  attemptsMax: 10,
  do: async ({ operationId, tenantId }) => {
    const token = await credentialLinks.open(TenantScope.ofPlatform(tenantId), operationId)
    return done({
      [credentialsFact]: `${publicUrl}/api/credentials/${token}`,
      documentationUrl: `${publicUrl}/api/docs`,
    })
  },
})
