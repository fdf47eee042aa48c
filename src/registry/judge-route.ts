import type { BackendId } from '../base/ids'

/** By how much the new backend may be worse than those it takes over from. */
export interface RouteBounds {
  /** Of calls, 0 to 1. */
  readonly errorRate?: number | undefined
  /** Of the mean time from a call's arrival to its answer's last byte. */
  readonly latencyMs?: number | undefined
}

/** What an alias's calls of a span came to, by the backend that answered or was tried last. */
export interface BackendFigures {
  readonly backendId: BackendId
  readonly calls: number
  /** Of `calls`: those that nobody served, or that broke off. */
  readonly failed: number
  /** Sum over `calls`. */
  readonly latencyMs: number
}

/** Fewer calls than that show nothing. */
const JUDGED_CALLS_MIN = 20
/** Deviations by which a share has to lack before it is taken for failures: chance alone goes so far in 1 of 40 looks. */
const DEVIATIONS = 2

/**
 * Why the new backend is to give its share back; undefined where it may keep it, or has had too few calls to tell. Pure.
 *
 * What it fails before the first byte is answered by another member of its group and counts there, so its own rows do not show it. But
 * calls are drawn by weight: what it lacks of its share, less what chance explains (the deviation of a binomial), it has failed
 * or was too full to take. At 100 percent there is nobody beside it, and the bound on errors holds by itself.
 */
export function judgeRoute({
  target,
  percent,
  bounds,
  figures,
}: {
  readonly target: BackendId
  readonly percent: number
  readonly bounds: RouteBounds
  readonly figures: readonly BackendFigures[]
}): string | undefined {
  const own = sumOf(figures.filter(({ backendId }) => backendId === target))
  const others = sumOf(figures.filter(({ backendId }) => backendId !== target))
  const share = Math.min(1, percent / 100)
  const total = own.calls + others.calls
  const chance = DEVIATIONS * Math.sqrt(total * share * (1 - share))
  const lacking = share < 1 ? Math.max(0, total * share - own.calls - chance) : 0
  const led = own.calls + lacking
  if (led < JUDGED_CALLS_MIN) return undefined

  const ownRate = (own.failed + lacking) / led
  const othersRate = share < 1 && others.calls > 0 ? others.failed / others.calls : 0
  if (bounds.errorRate !== undefined && ownRate - othersRate > bounds.errorRate)
    return `Of the calls led to it ${inPercent(ownRate)} failed, and ${inPercent(othersRate)} of the others; ${inPercent(bounds.errorRate)} more are allowed.`

  if (bounds.latencyMs === undefined || own.calls < JUDGED_CALLS_MIN || others.calls < JUDGED_CALLS_MIN)
    return undefined
  const [ownMs, othersMs] = [own.latencyMs / own.calls, others.latencyMs / others.calls]
  return ownMs - othersMs > bounds.latencyMs
    ? `Its calls took ${Math.round(ownMs)} ms and the others ${Math.round(othersMs)} ms; ${bounds.latencyMs} ms more are allowed.`
    : undefined
}

const sumOf = (figures: readonly BackendFigures[]) =>
  figures.reduce(
    (sum, { calls, failed, latencyMs }) => ({
      calls: sum.calls + calls,
      failed: sum.failed + failed,
      latencyMs: sum.latencyMs + latencyMs,
    }),
    { calls: 0, failed: 0, latencyMs: 0 },
  )

const inPercent = (rate: number) => `${(rate * 100).toFixed(1)} %`
