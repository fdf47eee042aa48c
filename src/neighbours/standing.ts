import type { BackendId, TenantId } from '../base/ids'
import { LatencySketch } from '../usage/latency-sketch'
import { emptyFigures, type MinuteFigures } from './minute-figures'
import type { Expected } from './expected'
import { LOAD_MINUTES, loadOf, lostOf, MINUTE_MS, sumOf } from './pool-normal'
import type { Pool } from './pools'

/** Calls of so many minutes tell what a tenant suffers: fewer than its load is judged by, so that a sudden harm is seen at once. */
const IMPACT_MINUTES = 2

/** How a tenant stands in one of its pools at a time. */
export interface Standing {
  readonly tenantId: TenantId
  readonly pool: Pool
  /** Share of a contended backend that it is entitled to, against others; and the tokens a minute that it is admitted. */
  readonly weight: number
  readonly tokensPerMinute: number
  /** Tokens a minute that it used, the middle one of the last minutes, batches' among them. */
  readonly load: number
  /** In the one of these minutes in which it used least. */
  readonly least: number
  /** The same with calls that were refused, as if each had used what its others did. */
  readonly offered: number
  /** Tokens a minute: of a minute at this time as a rule; of its most at this time; and what it may use without being news. */
  readonly typical: number
  readonly usual: number
  readonly most: number
  readonly isKnown: boolean
  readonly backends: readonly BackendStanding[]
}

/** How a tenant is served at one backend, by the calls of the last minutes. */
export interface Served {
  readonly backendId: BackendId
  /** Calls that say whether it is well served: those with an answer, and those without. */
  readonly calls: number
  /** Of these, how many took longer than nearly all of its calls usually do, or got no answer more often than usual. */
  readonly impaired: number
  readonly p95Ms: number | undefined
  readonly usualP95Ms: number | undefined
  readonly lost: number
  readonly throttled: number
  readonly queuedMs: number
}

/** Of a tenant at one backend. */
export interface BackendStanding extends Served {
  /** Part of its load and of what it offered, tokens a minute. */
  readonly load: number
  readonly offered: number
}

export interface Seen {
  readonly tenantId: TenantId
  readonly pool: Pool
  readonly weight: number
  readonly tokensPerMinute: number
  /** Of the last LOAD_MINUTES at least. */
  readonly minutes: readonly MinuteFigures[]
  /** Of the last of them. */
  readonly expected: Expected
}

/** Pure. `endMs`: the end of the last whole minute that there is to judge. */
export function standingOf(seen: Seen, endMs: number): Standing {
  const { tenantId, pool, weight, tokensPerMinute, expected } = seen
  const minutes = seen.minutes.filter(({ startMs }) => startMs < endMs && startMs >= endMs - LOAD_MINUTES * MINUTE_MS)
  const calls = sumOf(minutes, (minute) => minute.calls)
  const tokensPerCall = calls > 0 ? sumOf(minutes, ({ tokens }) => tokens) / calls : 0
  const byMinute = (tokensOf: (minute: MinuteFigures) => number) =>
    [1, 2, 3].map((back) => sumOf(at(minutes, endMs - back * MINUTE_MS), tokensOf)) as [number, number, number]
  // A call that has not ended yet uses the backend as much as one that has.
  const used = byMinute(({ tokens, unsettled }) => tokens + unsettled * tokensPerCall)
  const load = loadOf(used) + expected.laterTokens
  const refused = loadOf(byMinute((minute) => minute.refused)) * tokensPerCall
  const { typical, usual, most, isKnown } = expected
  return {
    tenantId,
    pool,
    weight,
    tokensPerMinute,
    load,
    least: Math.min(...used) + expected.laterTokens,
    offered: load + refused,
    typical,
    usual,
    most,
    isKnown,
    backends: backendsOf({ pool, expected, minutes }, { load, offered: load + refused, endMs }),
  }
}

const at = (minutes: readonly MinuteFigures[], startMs: number) =>
  minutes.filter((minute) => minute.startMs === startMs)

function backendsOf(
  { pool, expected, minutes }: Pick<Seen, 'pool' | 'expected' | 'minutes'>,
  { load, offered, endMs }: { load: number; offered: number; endMs: number },
): BackendStanding[] {
  const recent = minutes.filter(({ startMs }) => startMs >= endMs - IMPACT_MINUTES * MINUTE_MS)
  const tokensAt = (id: BackendId) =>
    sumOf(minutes, ({ backendId, tokens, laterTokens }) => (backendId === id ? tokens + laterTokens : 0))
  const known = sumOf(pool.backendIds, tokensAt)
  // What reached no backend would have been divided as the rest was.
  const shareOf = (id: BackendId) => (known > 0 ? tokensAt(id) / known : 1 / pool.backendIds.length)
  const stuckCalls = sumOf(recent, ({ startMs, unsettled }) => (startMs <= endMs - 2 * MINUTE_MS ? unsettled : 0))
  const nowhere = totalOf(recent.filter(({ backendId }) => backendId === undefined))
  return pool.backendIds
    .map((backendId): BackendStanding => {
      const share = shareOf(backendId)
      const here = totalOf(recent.filter((minute) => minute.backendId === backendId))
      const lost = lostOf(here) + share * lostOf(nowhere)
      const stuck = Math.round(share * stuckCalls)
      return {
        backendId,
        load: share * load,
        offered: share * offered,
        ...impairedOf(expected, { latency: here.latency, lost, stuck }),
        lost,
        throttled: here.throttled,
        queuedMs: here.queuedMs,
      }
    })
    .filter((backend) => backend.offered > 0 || backend.calls > 0)
}

function totalOf(minutes: readonly MinuteFigures[]): MinuteFigures {
  const total = emptyFigures({ startMs: 0, backendId: undefined })
  for (const minute of minutes) {
    total.refused += minute.refused
    total.failed += minute.failed
    total.throttled += minute.throttled
    total.queuedMs += minute.queuedMs
    total.latency.merge(minute.latency)
  }
  return total
}

/** Against the tenant's own figures alone: what is slow for one is usual for another, who asks for longer answers. */
function impairedOf(
  { slowAfter, lostMax }: Expected,
  { latency, lost, stuck }: { latency: LatencySketch; lost: number; stuck: number },
): Pick<BackendStanding, 'calls' | 'impaired' | 'p95Ms' | 'usualP95Ms'> {
  // A call that came a minute ago and has not ended is slow, unless a minute is nothing for this tenant.
  const late = slowAfter && slowAfter.slowMs < MINUTE_MS ? stuck : 0
  const slow = slowAfter ? latency.count * latency.shareAbove(slowAfter.slowMs) + late : 0
  const asked = latency.count + lost
  const isLosing = lostMax !== undefined && asked > 0 && lost / asked > lostMax
  // Without what is usual nothing is known of it, and it counts for neither side.
  const calls = slowAfter ? latency.count + late + (isLosing ? lost : 0) : 0
  return {
    calls,
    impaired: calls === 0 ? 0 : slow + (isLosing ? lost : 0),
    p95Ms: latency.quantile(0.95),
    usualP95Ms: slowAfter?.usualMs,
  }
}
