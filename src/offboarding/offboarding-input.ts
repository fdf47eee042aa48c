import type { OperationId, TenantId } from '../base/ids'

export interface OffboardingInput {
  /** Who asked for it; stands in the certificate. */
  readonly requestedBy: string
  readonly withExport: boolean
}

export const offboardingName = 'offboarding'

/** One offboarding a tenant: asked for again, it is the same orchestration. */
export const offboardingIdOf = (tenantId: TenantId): OperationId => `off_${tenantId.slice('ten_'.length)}`
