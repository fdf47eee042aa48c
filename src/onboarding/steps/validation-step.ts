import { Problem } from '../../base/problem'
import type { TenantId } from '../../base/ids'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import { validationLimitsId } from '../../tenants/canary'
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
    if (report instanceof Problem) return { kind: 'failed', problem: report }
    await removeLimits(deps, tenantId)
    return done(report)
  },
  undo: async ({ tenantId }) => {
    await removeProbeKeys(deps, TenantScope.ofPlatform(tenantId))
    await removeLimits(deps, tenantId)
  },
})

/** Instances that still lease of the row do not write it again: only a call would, and nothing calls in its name any more. */
const removeLimits = ({ limitRows }: Pick<OnboardingDeps, 'limitRows'>, tenantId: TenantId) =>
  limitRows.removeAll(TenantScope.ofPlatform(validationLimitsId(tenantId)))
