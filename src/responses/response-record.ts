import type { BackendId, CallerId, ResponseId, TenantId } from '../base/ids'
import type { ResponseStatus, Renaming } from '../inference/binding'
import type { TokenUsage } from '../metering/usage-record'
import type { Backend } from '../routing/backend'

/**
 * What the platform knows of a tenant's stored response: where it lies and what it took, numbers and ids only. What was said is the
 * account's that made it.
 */
export interface ResponseRecord {
  readonly id: ResponseId
  /** As the account that holds it calls it; never shown to clients. */
  readonly upstreamId: string
  readonly holder: Holder
  readonly alias: string
  /** By which it was answered: after a fallback another alias's. */
  readonly model: string
  readonly by: CallerId
  /** Who pays for it: while its onboarding tries a tenant, the platform. */
  readonly meteredOn: TenantId
  readonly requestId: string
  /** Unix milliseconds. */
  readonly createdAt: number
  /** Unix milliseconds, from which on nobody sees it. */
  readonly expiresAt: number
  /** Of ids that the account's answers show: of the one that it goes on from, of copies of files. */
  readonly renames: readonly Renaming[]
  readonly status: ResponseStatus
  /** All that a response which follows reads of this one; the estimate until it is known. */
  readonly tokens: number
  readonly estimate: { readonly prompt: number; readonly total: number }
  readonly itemIds: readonly string[]
  /** Of one in the background; undefined for one that was metered with its call. */
  readonly metering: ResponseMetering | undefined
}

/** The account that keeps a response: of its backend what outlives the backend. */
export interface Holder extends Pick<Backend, 'endpoint' | 'api' | 'credential' | 'ownerTenantId' | 'directoryId'> {
  readonly backendId: BackendId
  readonly deployment: string
  readonly region: string
}

export type ResponseMetering =
  | { readonly kind: 'open' }
  /** What it used is known, and is being entered under this claim (`LateUsage`). */
  | {
      readonly kind: 'claimed'
      readonly atMs: number
      readonly sequence: number
      readonly usage: TokenUsage
      readonly isEstimated: boolean
    }
  | { readonly kind: 'metered' }

/** An item that a stored response consists of, so that its id is known to be the tenant's. */
export interface ItemRecord {
  readonly responseId: ResponseId
  readonly holder: Holder
  readonly alias: string
  readonly expiresAt: number
}

/** As long as Azure keeps responses (azure-facts 1.1). */
export const RESPONSE_KEPT_MS = 30 * 24 * 3_600_000

export const holderOf = (backend: Backend): Holder => {
  const { id: backendId, endpoint, api, credential, ownerTenantId, directoryId, deployment, region } = backend
  return { backendId, endpoint, api, credential, ownerTenantId, directoryId, deployment, region }
}

/** Whether two are one account: what one keeps the other finds, whichever of its deployments it is. */
export const isSameAccount = (
  a: Pick<Holder, 'endpoint' | 'ownerTenantId'>,
  b: Pick<Holder, 'endpoint' | 'ownerTenantId'>,
): boolean => a.endpoint.toLowerCase() === b.endpoint.toLowerCase() && a.ownerTenantId === b.ownerTenantId
