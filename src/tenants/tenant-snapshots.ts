import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { createStaleCache } from '../base/stale-cache'
import type { SnapshotStore } from './snapshot-store'
import type { TenantSnapshot } from './snapshot'

/** The tenants as the data path sees them. */
export interface TenantSnapshots {
  /** At once for a tenant in use; undefined for one that does not exist or has not been activated yet. Never older than 25 s. */
  get(tenantId: TenantId): TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  /** Reads a tenant that `get` will be asked for, unless it is known. A failure is left to `get`. */
  expect(tenantId: TenantId): void
  /** For the instance that changed the tenant itself. */
  forget(tenantId: TenantId): void
}

const FRESH_MS = 5_000
/** With the read itself, a change reaches every instance within 30 s. */
const STALE_MS = 25_000
const TENANTS_MAX = 20_000

const nothing = () => {}

export function createTenantSnapshots({
  store,
  clock,
  log,
}: {
  store: SnapshotStore
  clock: Clock
  log: Log
}): TenantSnapshots {
  const cache = createStaleCache<TenantId, TenantSnapshot | undefined>({
    clock,
    load: (tenantId) => store.read(tenantId),
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    entriesMax: TENANTS_MAX,
    onError: (error) => log.warn('a tenant snapshot could not be refreshed', { error: describeError(error) }),
  })
  return {
    get: cache.get,
    expect: (tenantId) => {
      const known = cache.get(tenantId)
      if (known instanceof Promise) known.catch(nothing)
    },
    forget: cache.forget,
  }
}
