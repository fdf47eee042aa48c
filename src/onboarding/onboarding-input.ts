import type { OperationId, TenantId } from '../base/ids'
import type { TenantInput } from '../tenants/tenant-input'

/** What an onboarding is started with. It lies in the orchestration's history: nothing secret goes in. */
export interface OnboardingInput {
  readonly tenant: TenantInput
  /** An operator decides before anything is made. */
  readonly needsApproval: boolean
}

export const onboardingName = 'onboarding'

/** One onboarding a tenant: asked for again, it is the same orchestration. */
export const onboardingIdOf = (tenantId: TenantId): OperationId => `onb_${tenantId.slice('ten_'.length)}`
