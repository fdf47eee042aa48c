import type { BackendId } from '../base/ids'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { ExpectedAhead } from './expected'
import type { Pool } from './pools'

/** What was read of a tenant. */
export interface KnownTenant {
  readonly tenant: JudgedTenant
  /** Hours that began before this are learned. */
  readonly learnedToMs: number
  /** By pool. */
  readonly expected: ReadonlyMap<BackendId, ExpectedAhead>
}

/** As much of its snapshot as it is judged by. */
export interface JudgedTenant extends Pick<TenantSnapshot, 'tenantId' | 'version' | 'weight'> {
  readonly tokensPerMinute: number
  readonly pools: readonly Pool[]
  readonly readAtMs: number
}
