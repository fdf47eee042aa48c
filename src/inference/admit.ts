import type { AdmissionResult, Limiter } from '../limits/limiter'
import { accountOf } from './account'
import type { Grant } from './authorize'

/** Reserves a call's tokens of every limit that holds for it: of the alias that it is called by, or falls back to. */
export function admitCall(limiter: Limiter, { tenant, caller }: Grant, tokens: number): Promise<AdmissionResult> {
  const account = accountOf(tenant)
  return limiter.admit({
    tenantId: account.limitedAs,
    limits: account.limits,
    key: caller.limits && { keyId: caller.callerId, limits: caller.limits },
    tokens,
  })
}
