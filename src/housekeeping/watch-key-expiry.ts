import type { Keys } from '../access/keys'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import type { Notifications } from '../notifications/notice'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { createTenantWalk } from '../tenants/walk-tenants'
import { expiryDaysOf, expiryNotice } from './key-expiry'

export interface WatchKeyExpiryDeps {
  readonly keys: Pick<Keys, 'list'>
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly notifications: Notifications
  readonly clock: Clock
  readonly log: Log
}

const TENANTS_AT_ONCE = 8

/**
 * Tells tenants of keys that end soon or have ended, on behalf of each by itself (I4); how many notices were handed over. Of a notice
 * that was handed over before, notifications make nothing: so this may run as often as it likes.
 */
export function createWatchKeyExpiry(deps: WatchKeyExpiryDeps): () => Promise<number> {
  const look = (tenantId: TenantId) => tellTenant(deps, tenantId)
  return createTenantWalk({ ...deps, atOnce: TENANTS_AT_ONCE, what: 'looking at keys', look })
}

async function tellTenant(
  { keys, tenantOf, notifications, clock }: WatchKeyExpiryDeps,
  tenantId: TenantId,
): Promise<number> {
  // Of one that is suspended, the keys do not work anyway; one that comes or goes has none of its own.
  if ((await tenantOf(tenantId))?.state !== 'active') return 0
  let told = 0
  for (const record of await keys.list(TenantScope.ofPlatform(tenantId))) {
    const { expiresAt } = record
    const days = expiryDaysOf(record, clock.now())
    if (days === undefined || expiresAt === undefined) continue
    await notifications.publish(expiryNotice({ ...record, expiresAt }, days))
    told++
  }
  return told
}
