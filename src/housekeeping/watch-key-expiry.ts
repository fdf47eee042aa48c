import type { Keys } from '../access/keys'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { Notifications } from '../notifications/notice'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { expiryDaysOf, expiryNotice } from './key-expiry'

export interface WatchKeyExpiryDeps {
  readonly keys: Pick<Keys, 'list'>
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly notifications: Notifications
  readonly clock: Clock
  readonly log: Log
}

/** Below the half hour that the Functions host gives an invocation; who is left comes first the next time. */
const RUN_MS_MAX = 20 * 60_000

/**
 * Tells tenants of keys that end soon or have ended, on behalf of each by itself (I4); how many notices were handed over. Of a notice
 * that was handed over before, notifications make nothing: so this may run as often as it likes.
 */
export function createWatchKeyExpiry(deps: WatchKeyExpiryDeps): () => Promise<number> {
  const { tenantIds, clock, log } = deps
  let beginBehind: TenantId | undefined
  return async () => {
    const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
    const skipped = beginBehind
    beginBehind = undefined
    let told = 0
    for await (const tenantId of tenantIds()) {
      if (skipped !== undefined && tenantId <= skipped) continue
      try {
        told += await tellTenant(deps, tenantId)
      } catch (error) {
        log.warn('a tenant’s keys could not be looked at', { tenantId, error: describeError(error) })
      }
      if (clock.monotonicMs() < endsAtMs) continue
      beginBehind = tenantId
      log.warn('looking at keys takes longer than its time', { told })
      break
    }
    return told
  }
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
