import type { BoundedMap } from '../base/bounded-map'
import { eachOf, moreAndMore } from '../base/each-of'
import type { TenantId } from '../base/ids'
import { describeError } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import { NOTES_KEPT_MS, type RecentTenant, type RecentUsageReader } from '../usage/recent-usage'
import type { TenantsWithUsage } from '../usage/tenants-with-usage'
import { MINUTE_MS } from '../usage/usage-rows'
import type { Circumstances } from './classify'
import { minuteOf } from './minute-counts'
import { inMaintenance, type Maintenances } from './maintenance'
import { isPromised, type TenantOf } from './promised-tenant'
import { READ_AGAIN_MINUTES } from './sla-state'
import {
  CATCH_UP_MINUTES_MAX,
  needsALook,
  quietFrom,
  staysQuiet,
  watchTenant,
  type QuietTenant,
  type WatchTenantDeps,
} from './watch-tenant'
import type { WatchedTenants } from './watched-tenants'

interface WatchSlasDeps extends WatchTenantDeps {
  readonly watched: WatchedTenants
  readonly tenantsWithUsage: TenantsWithUsage
  readonly recent: RecentUsageReader
  readonly quiet: BoundedMap<TenantId, QuietTenant>
  readonly tenantOf: TenantOf
  readonly maintenances: Pick<Maintenances, 'within'>
}

/** Of maintenances: reaches back to the beginning of any month whose calls are counted. */
const MAINTENANCE_MS_BACK = 32 * 86_400_000

/**
 * One look at every tenant whose usage has changed since the last one, or of which something is open, on behalf of each by itself (I4);
 * how many there were. Whoever fails is looked at again the next time, with all that was missed.
 */
export async function watchSlas(deps: WatchSlasDeps): Promise<number> {
  const { watched, recent, maintenances, clock } = deps
  const nowMs = Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS
  const sinceMs = await watched.lookedUpToMs()
  const isMaintenance = inMaintenance(
    await maintenances.within({ fromMs: nowMs - MAINTENANCE_MS_BACK, toMs: nowMs + MINUTE_MS }),
  )
  const look =
    sinceMs !== undefined && nowMs - sinceMs < NOTES_KEPT_MS ? recent.look({ sinceMs, endMs: nowMs }) : undefined
  const atOnce = moreAndMore(clock)
  let looked = look
    ? await eachOf(newsIn(look.tenants), atOnce, (news) =>
        lookAt(deps, { tenantId: news.tenantId, news }, isMaintenance),
      )
    : await eachOf(usedSince(deps, { sinceMs, nowMs }), atOnce, (tenantId) => lookAt(deps, { tenantId }, isMaintenance))
  look?.done()
  looked += await eachOf(watched.all(), atOnce, async (tenantId) => {
    await lookAt(deps, { tenantId }, isMaintenance)
    await forgetIfCalm(deps, tenantId)
  })
  await watched.lookedUpTo(nowMs)
  return looked
}

async function* newsIn(tenants: AsyncIterable<RecentTenant>): AsyncGenerator<RecentTenant> {
  for await (const tenant of tenants) if (tenant.isNews) yield tenant
}

/** Whether there is nothing to judge of it by what the notes of its usage tell, which costs nothing. */
async function isStillQuiet(
  deps: WatchSlasDeps,
  tenant: RecentTenant,
  isMaintenance: Circumstances['isMaintenance'],
): Promise<boolean> {
  const { tenantId } = tenant
  if (tenant.untoldMs !== undefined) return false
  const quiet = deps.quiet.get(tenantId) ?? (await firstSeen(deps, tenantId))
  if (!(await staysQuiet(deps, quiet, { tenantId, pieces: tenant.pieces(), isMaintenance }))) return false
  deps.quiet.keep(tenantId, quiet)
  return true
}

/** For the first look, and one after a long time. */
function usedSince(
  { tenantsWithUsage }: WatchSlasDeps,
  { sinceMs, nowMs }: { sinceMs: number | undefined; nowMs: number },
): AsyncIterable<TenantId> {
  const earliestMs = nowMs - CATCH_UP_MINUTES_MAX * MINUTE_MS
  const fromMs = Math.max((sinceMs ?? earliestMs) - READ_AGAIN_MINUTES * MINUTE_MS, earliestMs)
  return tenantsWithUsage({ fromMs, toMs: nowMs })
}

/** Whatever is open is looked at anyway, and whatever was bad before has been judged: runs leave no minute behind. */
async function firstSeen({ store, clock }: WatchSlasDeps, tenantId: TenantId): Promise<QuietTenant> {
  const { objectives } = await store.policy(TenantScope.ofPlatform(tenantId))
  return quietFrom(tenantId, objectives, minuteOf(clock.now()))
}

/**
 * In full, unless the notes of its usage tell that there is nothing to judge. Never rejects for what goes wrong with one tenant, of which
 * there are many.
 */
async function lookAt(
  deps: WatchSlasDeps,
  { tenantId, news }: { tenantId: TenantId; news?: RecentTenant },
  isMaintenance: Circumstances['isMaintenance'],
): Promise<void> {
  const scope = TenantScope.ofPlatform(tenantId)
  try {
    if (news && (await isStillQuiet(deps, news, isMaintenance))) return
    deps.quiet.forget(tenantId)
    if (!(await isPromised(deps.tenantOf, tenantId))) return
    const quiet = await watchTenant(deps, scope, isMaintenance)
    if (quiet) deps.quiet.keep(tenantId, quiet)
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
