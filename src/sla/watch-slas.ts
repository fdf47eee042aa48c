import { eachOf } from '../base/each-of'
import type { TenantId } from '../base/ids'
import { describeError } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantsWithUsage } from '../usage/tenants-with-usage'
import { MINUTE_MS } from '../usage/usage-rows'
import type { Circumstances } from './classify'
import { inMaintenance, type Maintenances } from './maintenance'
import { isPromised, type TenantOf } from './promised-tenant'
import { READ_AGAIN_MINUTES } from './sla-state'
import { CATCH_UP_MINUTES_MAX, needsALook, watchTenant, type WatchTenantDeps } from './watch-tenant'
import type { WatchedTenants } from './watched-tenants'

interface WatchSlasDeps extends WatchTenantDeps {
  readonly watched: WatchedTenants
  readonly tenantsWithUsage: TenantsWithUsage
  readonly tenantOf: TenantOf
  readonly maintenances: Pick<Maintenances, 'within'>
}

/** Tenants that are looked at side by side. */
const TENANTS_AT_ONCE_MAX = 8
/** Of maintenances: reaches back to the beginning of any month whose calls are counted. */
const MAINTENANCE_MS_BACK = 32 * 86_400_000

/**
 * One look at every tenant that was used since the last one, or of which something is open, on behalf of each by itself (I4); how many
 * there were. Whoever fails is looked at again the next time, with all that was missed.
 */
export async function watchSlas(deps: WatchSlasDeps): Promise<number> {
  const { watched, tenantsWithUsage, maintenances, clock } = deps
  const nowMs = Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS
  const earliestMs = nowMs - CATCH_UP_MINUTES_MAX * MINUTE_MS
  const sinceMs = ((await watched.lookedUpToMs()) ?? earliestMs) - READ_AGAIN_MINUTES * MINUTE_MS
  const isMaintenance = inMaintenance(
    await maintenances.within({ fromMs: nowMs - MAINTENANCE_MS_BACK, toMs: nowMs + MINUTE_MS }),
  )
  const used = tenantsWithUsage({ fromMs: Math.max(sinceMs, earliestMs), toMs: nowMs })
  let looked = await eachOf(used, TENANTS_AT_ONCE_MAX, (tenantId) => lookAt(deps, tenantId, isMaintenance))
  looked += await eachOf(watched.all(), TENANTS_AT_ONCE_MAX, async (tenantId) => {
    await lookAt(deps, tenantId, isMaintenance)
    await forgetIfCalm(deps, tenantId)
  })
  await watched.lookedUpTo(nowMs)
  return looked
}

/** Never rejects for what goes wrong with one tenant, of which there are many. */
async function lookAt(
  deps: WatchSlasDeps,
  tenantId: TenantId,
  isMaintenance: Circumstances['isMaintenance'],
): Promise<void> {
  try {
    if (!(await isPromised(deps.tenantOf, tenantId))) return
    await watchTenant(deps, TenantScope.ofPlatform(tenantId), isMaintenance)
  } catch (error) {
    deps.log.warn('a tenant’s objectives could not be judged', { tenantId, error: describeError(error) })
    await deps.watched.note(tenantId)
  }
}

async function forgetIfCalm({ store, watched, clock }: WatchSlasDeps, tenantId: TenantId): Promise<void> {
  const scope = TenantScope.ofPlatform(tenantId)
  const isCalm = async () => {
    const state = (await store.state(scope))?.state
    const isUpToDate = state !== undefined && state.throughMinute >= Math.floor(clock.now() / MINUTE_MS) - 1
    return state === undefined || (isUpToDate && !needsALook(state))
  }
  if (!(await isCalm())) return
  await watched.forget(tenantId)
  // Another run may have found something meanwhile, and noted it before it was forgotten here.
  if (!(await isCalm())) await watched.note(tenantId)
}
