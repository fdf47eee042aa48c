import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import { inParallel } from '../base/in-parallel'
import type { RollUp } from '../usage/run-roll-up'
import type { TenantsWithUsage } from '../usage/tenants-with-usage'
import { minutesKeptFrom, type UsageReader } from '../usage/usage-reader'
import { BackendWatch } from './backend-watch'
import type { CarryOutDeps } from './carry-out'
import { createFindingsRun } from './findings-run'
import { findNoisyNeighbours } from './find-noisy-neighbours'
import { learnNormals, learnsAt } from './learn-normals'
import { minuteFigures, type MinuteFigures } from './minute-figures'
import type { NeighbourStore } from './neighbour-store'
import { LOAD_MINUTES, MINUTE_MS } from './pool-normal'
import { poolsOf } from './pools'
import { standingOf } from './standing'

export interface WatchNeighboursDeps extends CarryOutDeps {
  readonly store: NeighbourStore
  readonly rollUp: Pick<RollUp, 'run'>
  readonly usage: UsageReader
  readonly tenantsWithUsage: TenantsWithUsage
  readonly log: Log
}

/** Tenants looked at side by side, and read ahead for that. */
const TENANTS_AT_ONCE = 8
const PAGE_TENANTS = 64

/**
 * The minute's look at who is in whose way: a cross-tenant reader (I4) of usage, one tenant after the other. What it holds of them
 * grows with the backends that they use and with findings, not with the tenants. Answers how many findings were changed.
 *
 * Late, it judges the last minute that is over; twice at once, whoever is second finds each finding judged; broken off, what was
 * decided and not done is done by the next.
 */
export function createWatchNeighbours(deps: WatchNeighboursDeps): () => Promise<number> {
  return async () => {
    await deps.rollUp.run({ fresh: true })
    const endMs = Math.floor(deps.clock.now() / MINUTE_MS) * MINUTE_MS
    const findings = await createFindingsRun(deps, endMs)
    const watch = new BackendWatch()
    const look = (tenantId: TenantId) =>
      lookAt(deps, { tenantId, endMs, watch, findings }).catch((error: unknown) =>
        // Of one whose data is being deleted, say: the others are judged without it.
        deps.log.warn('a tenant’s load could not be looked at', { tenantId, error: describeError(error) }),
      )
    for await (const page of pagesOf(deps.tenantsWithUsage({ fromMs: endMs - LOAD_MINUTES * MINUTE_MS, toMs: endMs })))
      await inParallel(page, TENANTS_AT_ONCE, look)
    const found = findNoisyNeighbours(watch.views(), ({ tenantId, pool }) => findings.isOpen(tenantId, pool.id))
    return findings.decide(found)
  }
}

async function lookAt(
  deps: WatchNeighboursDeps,
  {
    tenantId,
    endMs,
    watch,
    findings,
  }: {
    tenantId: TenantId
    endMs: number
    watch: BackendWatch
    findings: Awaited<ReturnType<typeof createFindingsRun>>
  },
): Promise<void> {
  const { store, usage, clock } = deps
  const tenant = await deps.tenantOf(tenantId)
  if (tenant?.state !== 'active') return
  const scope = TenantScope.ofPlatform(tenantId)
  const pools = poolsOf(tenant)
  const normals = await store.normals(scope)
  const learned = await learnNormals(usage, scope, {
    pools,
    normals,
    keptFromMs: minutesKeptFrom(clock.now()),
    toMs: learnsAt(tenantId, clock.now()),
    noisyIn: (poolId, hourStartMs) => findings.wasNoisy({ tenantId, poolId }, hourStartMs),
  })
  for (const id of learned) {
    const normal = normals.get(id)
    if (normal) await store.putNormal(scope, id, normal)
  }
  // Of aliases that lead elsewhere by now.
  if (learned.length > 0)
    for (const id of normals.keys()) if (!pools.some((pool) => pool.id === id)) await store.removeNormal(scope, id)

  const minutes = new Map<string, MinuteFigures[]>()
  const fromMs = endMs - LOAD_MINUTES * MINUTE_MS
  for await (const piece of usage.read(scope, { fromMs, toMs: endMs }, 'minute'))
    for (const [id, figures] of minuteFigures(pools, piece)) minutes.set(id, [...(minutes.get(id) ?? []), ...figures])
  for (const pool of pools) {
    const [seen, normal] = [minutes.get(pool.id), normals.get(pool.id)]
    if (!seen || !normal) continue
    const { weight } = tenant
    const { tokensPerMinute } = tenant.limits
    const standing = standingOf({ tenantId, pool, weight, tokensPerMinute, minutes: seen, normal }, endMs)
    watch.add(standing, findings.isOpen(tenantId, pool.id))
  }
}

async function* pagesOf(tenantIds: AsyncIterable<TenantId>): AsyncGenerator<TenantId[]> {
  let page: TenantId[] = []
  for await (const tenantId of tenantIds) {
    if (page.push(tenantId) < PAGE_TENANTS) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
