import { assert } from '../../base/assert'
import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import { compileSnapshot } from '../../tenants/compile-snapshot'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** Prepares the row that the instances lease the tenant's limits from, and tells what they are. */
export const limitsStep = ({
  tenants,
  limitRows,
}: Pick<OnboardingDeps, 'tenants' | 'limitRows'>): ChecklistStep<OnboardingInput> => ({
  id: 'limits',
  timeoutMs: 60_000,
  attemptsMax: 10,
  do: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const record = await tenants.get(scope)
    assert(record, 'the first step has made the record')
    // Whatever an earlier tenant of a restored storage left here must not count against this one.
    await limitRows.removeAll(scope)
    const { requestsPerMinute, tokensPerMinute, concurrentCalls } = compileSnapshot(record).limits
    return done({
      tier: record.tier,
      requestsPerMinute: String(requestsPerMinute),
      tokensPerMinute: String(tokensPerMinute),
      concurrentCalls: String(concurrentCalls),
    })
  },
  undo: async ({ tenantId }) => {
    await limitRows.removeAll(TenantScope.ofPlatform(tenantId))
  },
})
