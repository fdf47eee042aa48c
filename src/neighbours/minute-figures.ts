import type { BackendId } from '../base/ids'
import { LatencySketch } from '../usage/latency-sketch'
import type { GroupSums } from '../usage/usage-sums'
import type { Pool } from './pools'

/** What a tenant did at one backend of a pool in one minute. */
export interface MinuteFigures {
  readonly startMs: number
  /** Undefined for calls that reached none: refused, under way, or failed before. */
  readonly backendId: BackendId | undefined
  /** Prompt and output of calls that somebody waited for. */
  tokens: number
  /** Of work that is metered when it has ended, a batch's lines: all at once, for hours of it. */
  laterTokens: number
  /** Settled calls, of whatever outcome, but for those of batches. */
  calls: number
  /** Calls that have not ended. */
  unsettled: number
  /** Calls that we answered with 429 ourselves. */
  refused: number
  /** Calls that no backend served. */
  failed: number
  /** Attempts that the backend answered with 429. */
  throttled: number
  queuedMs: number
  readonly latency: LatencySketch
}

/** Of the usage log: lines of batches, and what belongs to tuned models, which run apart from calls. */
const METERED_LATER = /^(batch|fine_tuning)\./

/** One minute's usage of a tenant, divided by its pools and backends. What belongs to no pool, as of aliases that are gone, is left out. */
export function minuteFigures(
  pools: readonly Pool[],
  { startMs, groups }: { readonly startMs: number; readonly groups: readonly GroupSums[] },
): ReadonlyMap<BackendId, readonly MinuteFigures[]> {
  const byPool = new Map<BackendId, MinuteFigures[]>()
  for (const { group, sums, sketches } of groups) {
    const pool = poolOf(pools, group)
    if (!pool) continue
    const backendId = pool.backendIds.find((id) => id === group.backend)
    const figures = figuresOf(byPool, pool.id, { startMs, backendId })
    const tokens = sums.promptTokens + sums.outputTokens
    if (METERED_LATER.test(group.operation)) {
      figures.laterTokens += tokens
      continue
    }
    figures.tokens += tokens
    figures.calls += sums.calls
    figures.unsettled += sums.unsettled
    figures.refused += sums.refused
    figures.failed += sums.unavailable + (group.outcome === 'failed' ? sums.calls : 0)
    figures.throttled += sums.throttled
    figures.queuedMs += sums.queuedMs
    figures.latency.merge(sketches.latency)
  }
  return byPool
}

const poolOf = (pools: readonly Pool[], { backend, alias }: GroupSums['group']): Pool | undefined =>
  pools.find(({ backendIds, aliases }) =>
    backend === null ? aliases.includes(alias) : backendIds.some((id) => id === backend),
  )

function figuresOf(
  byPool: Map<BackendId, MinuteFigures[]>,
  poolId: BackendId,
  place: Pick<MinuteFigures, 'startMs' | 'backendId'>,
): MinuteFigures {
  const all = byPool.get(poolId) ?? []
  byPool.set(poolId, all)
  const known = all.find(({ startMs, backendId }) => startMs === place.startMs && backendId === place.backendId)
  if (known) return known
  const figures = emptyFigures(place)
  all.push(figures)
  return figures
}

export const emptyFigures = (place: Pick<MinuteFigures, 'startMs' | 'backendId'>): MinuteFigures => ({
  ...place,
  tokens: 0,
  laterTokens: 0,
  calls: 0,
  unsettled: 0,
  refused: 0,
  failed: 0,
  throttled: 0,
  queuedMs: 0,
  latency: new LatencySketch(),
})
