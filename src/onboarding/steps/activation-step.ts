import { Problem } from '../../base/problem'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** Lets everybody of the tenant in. */
export const activationStep = ({
  tenants,
  audit,
}: Pick<OnboardingDeps, 'tenants' | 'audit'>): ChecklistStep<OnboardingInput> => ({
  id: 'activation',
  timeoutMs: 60_000,
  attemptsMax: 10,
  do: async ({ operationId, tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const record = await tenants.transition(scope, 'activate')
    if (record instanceof Problem) return { kind: 'failed', problem: record }
    await audit.append(scope, {
      actor: { kind: 'orchestration', id: operationId },
      action: 'onboarding.activate',
      target: tenantId,
      outcome: 'done',
      requestId: operationId,
    })
    return done()
  },
})
