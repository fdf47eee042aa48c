import { assert } from '../../base/assert'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { noTokens } from '../../metering/usage-record'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** Finds the models that the price book has no price for: their calls are metered but cost 0 until it has one. */
export const meteringStep = ({
  tenants,
  costOf,
  clock,
}: Pick<OnboardingDeps, 'tenants' | 'costOf' | 'clock'>): ChecklistStep<OnboardingInput> => ({
  id: 'metering',
  timeoutMs: 60_000,
  attemptsMax: 10,
  do: async ({ tenantId }) => {
    const record = await tenants.get(TenantScope.ofPlatform(tenantId))
    assert(record, 'the first step has made the record')
    const models = [...new Set(record.aliases.map(({ model }) => model))]
    const unpriced = models.filter((model) => costOf(model, noTokens, clock.now()) === undefined)
    return done({
      pricedModels: String(models.length - unpriced.length),
      unpricedModels: unpriced.join(', ') || 'none',
    })
  },
})
