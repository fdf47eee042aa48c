import type { BackendId, TenantId } from '../base/ids'
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

/** As many as the data path knows; some 2 kB each. What is beyond is read each minute. */
const TENANTS_MAX = 20_000

/** Of tenants that call now, so that storage is not asked every minute what changes once an hour. */
export class KnownTenants {
  /** Those that were looked at longest ago come first. */
  readonly #tenants = new Map<TenantId, KnownTenant>()

  get(tenantId: TenantId): KnownTenant | undefined {
    return this.#tenants.get(tenantId)
  }

  keep(known: KnownTenant): void {
    const { tenantId } = known.tenant
    this.#tenants.delete(tenantId)
    const oldest = this.#tenants.size >= TENANTS_MAX ? this.#tenants.keys().next().value : undefined
    if (oldest !== undefined) this.#tenants.delete(oldest)
    this.#tenants.set(tenantId, known)
  }
}
