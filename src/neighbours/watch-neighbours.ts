import type { BackendId, TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { BoundedMap } from '../base/bounded-map'
import { eachOf, moreAndMore } from '../base/each-of'
import { TenantScope } from '../storage/tenant-scope'
import type { RecentTenant, RecentUsage } from '../usage/recent-usage'
import type { RollUp } from '../usage/run-roll-up'
import { minutesKeptFrom, type UsageReader } from '../usage/usage-reader'
import { BackendWatch } from './backend-watch'
import type { CarryOutDeps } from './carry-out'
import { ExpectedAhead } from './expected'
import { createFindingsRun } from './findings-run'
import { findNoisyNeighbours } from './find-noisy-neighbours'
import type { JudgedTenant, KnownTenant } from './known-tenant'
import { learnNormals, learnsAt } from './learn-normals'
import { minuteFigures, type MinuteFigures } from './minute-figures'
import type { NeighbourStore } from './neighbour-store'
import { isAnythingKnown, LOAD_MINUTES, MINUTE_MS, newPoolNormal } from './pool-normal'
import { poolsOf } from './pools'
import { standingOf } from './standing'

export interface WatchNeighboursDeps extends CarryOutDeps {
  readonly store: NeighbourStore
  readonly rollUp: Pick<RollUp, 'run'>
  readonly usage: UsageReader
  readonly recentUsage: Pick<RecentUsage, 'reader'>
  readonly log: Log
}

/** As many as the data path knows; some 2 kB each. What is beyond is read each minute. */
const TENANTS_KNOWN_MAX = 20_000

/**
 * The minute's look at who is in whose way: a cross-tenant reader (I4) of usage, one tenant after the other, of those that called in
 * the minutes that are judged. What it holds grows with the backends that they use and with findings, and up to a bound with them.
 *
 * Late, it judges the last minute that is over; twice at once, whoever is second finds each finding judged; broken off, what was
 * decided and not done is done by the next.
 */
export function createWatchNeighbours(deps: WatchNeighboursDeps): () => Promise<number> {
  const recent = deps.recentUsage.reader()
  const known: Run['known'] = new BoundedMap(TENANTS_KNOWN_MAX)
  return async () => {
    await deps.rollUp.run({ fresh: true })
    const endMs = Math.floor(deps.clock.now() / MINUTE_MS) * MINUTE_MS
    const run: Run = { endMs, known, watch: new BackendWatch(), findings: await createFindingsRun(deps, endMs) }
    const look = recent.look({ sinceMs: endMs - LOAD_MINUTES * MINUTE_MS, endMs })
    await eachOf(look.tenants, moreAndMore(deps.clock), (tenant) =>
      lookAt(deps, run, tenant).catch((error: unknown) =>
        // Of one whose data is being deleted, say: the others are judged without it.
        deps.log.warn('a tenant’s load could not be looked at', {
          tenantId: tenant.tenantId,
          error: describeError(error),
        }),
      ),
    )
    const { watch, findings } = run
    const found = findNoisyNeighbours(watch.views(), ({ tenantId, pool }) => findings.isOpen(tenantId, pool.id))
    return findings.decide(found)
  }
}

interface Run {
  readonly endMs: number
  /** So that storage is not asked every minute what changes once an hour. */
  readonly known: BoundedMap<TenantId, KnownTenant>
  readonly watch: BackendWatch
  readonly findings: Awaited<ReturnType<typeof createFindingsRun>>
}

async function lookAt(deps: WatchNeighboursDeps, run: Run, recent: RecentTenant): Promise<void> {
  const { endMs, known, watch, findings } = run
  const before = known.get(recent.tenantId)
  const tenant = await judged(deps, recent.tenantId, before)
  if (!tenant) return
  const usual = await usualOf(deps, run, { tenant, before })
  known.keep(recent.tenantId, { tenant, ...usual })

  const minutes = await lastMinutes(deps, { tenant, recent, endMs })
  const { tenantId, weight, tokensPerMinute } = tenant
  for (const pool of tenant.pools) {
    const [seen, expected] = [minutes.get(pool.id), usual.expected.get(pool.id)?.at(endMs - MINUTE_MS)]
    if (!seen || !expected) continue
    const standing = standingOf({ tenantId, pool, weight, tokensPerMinute, minutes: seen, expected }, endMs)
    watch.add(standing, findings.isOpen(tenantId, pool.id))
  }
}

/** A change of a tenant shows here so much later. */
const TENANT_KNOWN_MS = 5 * MINUTE_MS

/** As it was read some minutes ago, unless something is about to be written of it. Undefined for one that is not active. */
async function judged(
  { tenantOf, clock }: WatchNeighboursDeps,
  tenantId: TenantId,
  before: KnownTenant | undefined,
): Promise<JudgedTenant | undefined> {
  const readAtMs = clock.now()
  const isKnown = before && readAtMs - before.tenant.readAtMs < TENANT_KNOWN_MS
  if (isKnown && before.learnedToMs === learnsAt(tenantId, readAtMs)) return before.tenant
  const tenant = await tenantOf(tenantId)
  if (tenant?.state !== 'active') return undefined
  const { version, weight, limits } = tenant
  return { tenantId, version, weight, tokensPerMinute: limits.tokensPerMinute, pools: poolsOf(tenant), readAtMs }
}

type Usual = Pick<KnownTenant, 'learnedToMs' | 'expected'>

/** As it was when it was looked at last, unless its turn to learn has come since; learned where there is anything to learn. */
async function usualOf(
  { store, usage, clock }: WatchNeighboursDeps,
  { endMs, findings }: Run,
  { tenant, before }: { tenant: JudgedTenant; before: KnownTenant | undefined },
): Promise<Usual> {
  const { tenantId, pools } = tenant
  const learnedToMs = learnsAt(tenantId, clock.now())
  const judgedMs = endMs - MINUTE_MS
  const isSame = before?.tenant.version === tenant.version && before.learnedToMs === learnedToMs
  if (isSame && pools.every(({ id }) => before.expected.get(id)?.at(judgedMs))) return before
  const scope = TenantScope.ofPlatform(tenantId)
  const normals = await store.normals(scope)
  // A new tenant has nothing to learn yet, and one that was there before there were normals waits for its turn as well.
  const isFirstSeen = before === undefined && normals.size === 0
  const learned = isFirstSeen
    ? []
    : await learnNormals(usage, scope, {
        pools,
        normals,
        keptFromMs: minutesKeptFrom(clock.now()),
        toMs: learnedToMs,
        noisyIn: (poolId, hourStartMs) => findings.wasNoisy({ tenantId, poolId }, hourStartMs),
      })
  for (const id of learned) {
    const normal = normals.get(id)
    if (normal && isAnythingKnown(normal)) await store.putNormal(scope, id, normal)
  }
  // Of aliases that lead elsewhere by now.
  if (learned.length > 0)
    for (const id of normals.keys()) if (!pools.some((pool) => pool.id === id)) await store.removeNormal(scope, id)
  return {
    learnedToMs,
    expected: new Map(
      pools.map(({ id }) => [id, new ExpectedAhead(normals.get(id) ?? newPoolNormal(learnedToMs), judgedMs)]),
    ),
  }
}

/** As the notes of its usage tell them; of a tenant that has more than they do, as its rows do. */
async function lastMinutes(
  { usage }: WatchNeighboursDeps,
  { tenant: { tenantId, pools }, recent, endMs }: { tenant: JudgedTenant; recent: RecentTenant; endMs: number },
): Promise<ReadonlyMap<BackendId, readonly MinuteFigures[]>> {
  const span = { fromMs: endMs - LOAD_MINUTES * MINUTE_MS, toMs: endMs }
  const isTold = recent.untoldMs === undefined || recent.untoldMs < span.fromMs
  const pieces = isTold ? recent.pieces() : usage.read(TenantScope.ofPlatform(tenantId), span, 'minute')
  const minutes = new Map<BackendId, MinuteFigures[]>()
  for await (const piece of pieces)
    for (const [id, figures] of minuteFigures(pools, piece)) minutes.set(id, [...(minutes.get(id) ?? []), ...figures])
  return minutes
}
