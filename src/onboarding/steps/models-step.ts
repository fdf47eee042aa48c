import { Problem } from '../../base/problem'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** A provisioned deployment may wait for hardware, a tenant for its administrator to hand over a key or give a role. */
const TIMEOUT_MS = 2 * 3_600_000

/** Models by the tenant's isolation: deployments and accounts are made, or its own account is tried by real calls. */
export const modelsStep = ({
  tenants,
  models,
  secrets,
}: Pick<OnboardingDeps, 'tenants' | 'models' | 'secrets'>): ChecklistStep<OnboardingInput> => ({
  id: 'models',
  timeoutMs: TIMEOUT_MS,
  attemptsMax: 10,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const record = await tenants.get(scope)
    if (!record) return { kind: 'failed', problem: new Problem('not_found', 'The tenant’s record is gone.') }
    const ensured = await models.ensure(scope, { record, generation: '' })
    if (ensured.kind !== 'ready') return ensured
    const routed = await tenants.setRoutes(scope, ensured.routes)
    if (routed instanceof Problem) return { kind: 'failed', problem: routed }
    return done({ models: input.tenant.isolation.models })
  },
  undo: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const removed = await models.removeUnused(scope, undefined)
    if (removed.kind === 'not-yet') return removed
    for (const name of await secrets.remains(scope)) await secrets.remove(scope, name)
    return done()
  },
})
