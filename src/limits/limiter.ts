import type { BackendId, CallerId, TenantId } from '../base/ids'
import type { Limits, OwnLimits } from '../tenants/snapshot'

/** What is asked of the limits for one call. */
export interface AdmissionRequest {
  readonly tenantId: TenantId
  readonly limits: Limits
  /** The calling key's own limits, held besides the tenant's. */
  readonly key: { readonly keyId: CallerId; readonly limits: OwnLimits } | undefined
  /** The limits of the alias that is called, held besides the tenant's too. */
  readonly alias?: { readonly name: string; readonly limits: OwnLimits } | undefined
  /** What a measure of the platform's leaves of the tenant's calls to a pool of backends, besides everything else. */
  readonly pool?: { readonly poolId: BackendId; readonly limits: OwnLimits } | undefined
  /** Prompt estimate + allowed output. At least 1. */
  readonly tokens: number
}

export type AdmissionResult =
  | { readonly kind: 'admitted'; readonly admission: Admission }
  /** Refused now; the same call is admitted after `retryAfterMs` if nothing else comes in between (I7). */
  | {
      readonly kind: 'refused'
      readonly limit: LimitName
      readonly scope: LimitScope
      readonly retryAfterMs: number
      readonly rates: RateView
    }
  /** Larger than the whole limit: waiting never helps. */
  | { readonly kind: 'never-fits'; readonly scope: LimitScope; readonly tokensPerMinute: number }

export type LimitName = keyof Limits
export type LimitScope = 'tenant' | 'key' | 'alias' | 'pool'

export interface Admission {
  /** As of the admission, for the rate headers. */
  readonly rates: RateView
  /**
   * Exactly once, on every exit (I6): replaces the reserved tokens by those really used and frees the concurrency slot.
   * `usedTokens` above the reservation is charged too, even past the limit.
   */
  settle(usedTokens: number): void
}

/**
 * What is left, for `x-ratelimit-*`: of requests and of tokens each as the tightest of the tenant's, the key's and the
 * alias's limits has it. `resetMs`: until the window is empty again.
 */
export interface RateView {
  readonly requests: { readonly limit: number; readonly remaining: number; readonly resetMs: number }
  readonly tokens: { readonly limit: number; readonly remaining: number; readonly resetMs: number }
}

export interface Limiter {
  /** Waits for at most one shared write, and for none while this instance's lease lasts (I12). */
  admit(request: AdmissionRequest): Promise<AdmissionResult>
  /** Reports what was spent and gives back what was not; for a clean stop. */
  close(): Promise<void>
}
