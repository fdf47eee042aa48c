import { Problem } from '../../base/problem'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'
import { removeProbeKeys } from '../validation/probe-keys'
import { validateTenant } from '../validation/validate-tenant'

/** Makes real calls through the public endpoint, with the tenant's own kinds of credential and with a stranger's. */
export const validationStep = (deps: OnboardingDeps): ChecklistStep<OnboardingInput> => ({
  id: 'validation',
  timeoutMs: 600_000,
  attemptsMax: 6,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const record = await deps.tenants.transition(scope, 'begin-validation')
    if (record instanceof Problem) return { kind: 'failed', problem: record }
    const report = await validateTenant(deps, record)
    return report instanceof Problem ? { kind: 'failed', problem: report } : done(report)
  },
  undo: ({ tenantId }) => removeProbeKeys(deps, TenantScope.ofPlatform(tenantId)),
})
