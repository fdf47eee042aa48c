import { HOUR_MS } from '../metering/log-blob-name'
import type { BackendId, TenantId } from '../base/ids'
import { spread } from '../base/spread'
import type { TenantScope } from '../storage/tenant-scope'
import type { UsageReader } from '../usage/usage-reader'
import { minuteFigures, type MinuteFigures } from './minute-figures'
import { isAnythingKnown, learnHour, MINUTE_MS, newPoolNormal, type PoolNormal } from './pool-normal'
import type { Pool } from './pools'

/** Of calls that came in within an hour, nearly all have ended so long after it. */
const SETTLED_AFTER_MS = 5 * MINUTE_MS
/** Tenants learn one after the other within the hour, not all in its first minute. */
const SPREAD_MINUTES = 40

/** Whether a tenant's turn to learn has come for hours before this one, given what it has learned. */
export const learnsAt = (tenantId: TenantId, nowMs: number): number =>
  Math.floor((nowMs - SETTLED_AFTER_MS - spread(tenantId, SPREAD_MINUTES) * MINUTE_MS) / HOUR_MS) * HOUR_MS

/**
 * Brings a tenant's normals up to the hour: a function of its usage, so that it is learned the same whenever and however often. Of
 * a tenant that is new here all is learned that is kept by the minute. Gives the pools whose normals have changed; `noisyIn` says
 * when the tenant was in others' way.
 */
export async function learnNormals(
  usage: UsageReader,
  scope: TenantScope,
  {
    pools,
    normals,
    keptFromMs,
    toMs,
    noisyIn,
  }: {
    pools: readonly Pool[]
    normals: Map<BackendId, PoolNormal>
    /** Minutes of before are not kept. */
    keptFromMs: number
    toMs: number
    noisyIn: (poolId: BackendId, hourStartMs: number) => boolean
  },
): Promise<readonly BackendId[]> {
  for (const { id } of pools) if (!normals.has(id)) normals.set(id, newPoolNormal(keptFromMs))
  const due = pools.filter(({ id }) => (normals.get(id)?.learnedToMs ?? toMs) < toMs)
  if (due.length === 0) return []
  const sinceMs = Math.min(...due.map(({ id }) => normals.get(id)?.learnedToMs ?? toMs))
  const fromMs = Math.max(sinceMs, keptFromMs)
  const learn = (hourStartMs: number, byPool: ReadonlyMap<BackendId, readonly MinuteFigures[]>) => {
    for (const { id } of due) {
      const normal = normals.get(id)
      if (!normal || normal.learnedToMs > hourStartMs) continue
      const minutes = byPool.get(id) ?? []
      if (minutes.length === 0 && !isAnythingKnown(normal)) normal.learnedToMs = hourStartMs + HOUR_MS
      else learnHour(normal, { hourStartMs, minutes, wasNoisy: noisyIn(id, hourStartMs) })
    }
  }
  await readHours(usage, scope, { pools, fromMs, toMs, learn })
  return due.map(({ id }) => id)
}

/** Hour after hour, those without usage too; no more of them than one is in memory. */
async function readHours(
  usage: UsageReader,
  scope: TenantScope,
  {
    pools,
    fromMs,
    toMs,
    learn,
  }: {
    pools: readonly Pool[]
    fromMs: number
    toMs: number
    learn: (hourStartMs: number, byPool: ReadonlyMap<BackendId, readonly MinuteFigures[]>) => void
  },
): Promise<void> {
  let hourStartMs = fromMs
  let byPool = new Map<BackendId, MinuteFigures[]>()
  const closeUntil = (timeMs: number) => {
    for (; hourStartMs + HOUR_MS <= timeMs; hourStartMs += HOUR_MS) {
      learn(hourStartMs, byPool)
      byPool = new Map()
    }
  }
  for await (const piece of usage.read(scope, { fromMs, toMs }, 'minute')) {
    closeUntil(piece.startMs)
    for (const [id, minutes] of minuteFigures(pools, piece)) {
      const known = byPool.get(id)
      if (known) known.push(...minutes)
      else byPool.set(id, [...minutes])
    }
  }
  closeUntil(toMs)
}
