import type { BackendId, TenantId } from '../base/ids'
import { excessOf, type BackendView, type Suspect } from './backend-watch'
import type { Served, Standing } from './standing'

/**
 * What is said of a tenant in one of its pools. A tenant of which nothing is said is in nobody's way.
 */
export type Verdict =
  /** Others suffer, because of it: it takes more than its share and far more than is usual of it, and without that there would be room. */
  | { readonly kind: 'noisy'; readonly evidence: Evidence }
  /** It still asks for far more than is usual of it. `harms`: others suffer at the same backends. Said only of who was noisy before. */
  | { readonly kind: 'pressing'; readonly harms: boolean; readonly evidence: Evidence }

/** What was found, in figures: of the culprit, and of who suffered most. For operators; the tenants concerned see their own part. */
export interface Evidence {
  readonly poolId: BackendId
  readonly backendIds: readonly BackendId[]
  /** Tokens a minute: used; used and refused; usual at this hour; the most that would be no news. */
  readonly load: number
  readonly offered: number
  readonly usual: number
  readonly most: number
  /** Of the backends' tokens, what it uses, and what it may by its weight and limits. 0 to 1. */
  readonly share: number
  readonly entitledShare: number
  /** Tokens a minute that it is entitled to at these backends. */
  readonly entitled: number
  /** Of others' calls there, how many were slow or lost, where nearly none would be; and at the middle one of other backends. 0 to 1. */
  readonly impairedShare: number
  readonly impairedShareElsewhere: number
  readonly victims: readonly Victim[]
}

/** Its figures are whole numbers. */
export interface Victim extends Served {
  readonly tenantId: TenantId
}

export interface Found {
  readonly tenantId: TenantId
  readonly poolId: BackendId
  readonly verdict: Verdict
}

/** Of calls, those that are above a p95. */
const SLOW_USUALLY = 0.05
/** More of them than this, and others suffer; of few calls so many scales more. */
const SLOW_MORE_MIN = 0.05
const CHANCE_SCALES = 4
/** Fewer calls of others show nothing. Who waits long for each makes few. */
const CALLS_MIN = 6
/** So many times what would be no news is news at once; below it all minutes are looked at, and are near it when it is no chance. */
const FIRM_RATIO = 1.5
const LEAST_RATIO = 0.85
/** Who takes so much more than its share is over it. One of whom little is known is judged by its share alone. */
const OVER_SHARE = 1.25
const OVER_SHARE_UNKNOWN = 2
/** Of a backend's load, what a culprit has in excess: with less gone nobody would notice. */
const EXCESS_OF_LOAD_MIN = 0.15
/** Of all that is in excess there. Where everybody asks for more, nobody is to blame. */
const EXCESS_OF_ALL_MIN = 0.45
/** Where others suffer half as much at most backends that it does not use, something else is the matter. */
const ELSEWHERE_MAX = 0.5
/** Calls that it takes for another backend's state to mean something. */
const ELSEWHERE_CALLS_MIN = 20
/** Of a victim's calls, those that are impaired. */
const VICTIM_SHARE_MIN = 0.15
const VICTIM_CALLS_MIN = 5
const VICTIMS_MAX = 10

/**
 * Who is in others' way, of everything that tenants did in the last minutes. Pure.
 *
 * A culprit surges against its own normal, takes more of a backend than it is entitled to, has a good part of all that is
 * more than usual there; and others suffer there, against their own normal, and not as much elsewhere. Each of these alone is
 * innocent: a job that always runs at this time does not surge, nor does who is busy when all are; a slow platform is slow for
 * everybody, and who uses what nobody else wants harms nobody. `heldBy`: who was found before, so that it is told when it stops.
 */
export function findNoisyNeighbours(
  views: readonly BackendView[],
  heldBy: (standing: Standing) => boolean,
): readonly Found[] {
  const inOrder = views
    .filter(({ calls }) => calls >= ELSEWHERE_CALLS_MIN)
    .map(({ backendId, calls, impaired }) => ({ backendId, share: impaired / calls }))
    .sort((a, b) => a.share - b.share)
  const found = new Map<string, Found>()
  for (const view of views) {
    for (const suspect of view.suspects) {
      const { standing } = suspect
      const key = `${standing.tenantId} ${standing.pool.id}`
      const elsewhere = middleElsewhere(inOrder, standing)
      const verdict = judge(suspect, { view, elsewhere, isHeld: heldBy(standing) })
      if (!verdict) continue
      const known = found.get(key)?.verdict
      const worst = known ? worse(known, verdict) : verdict
      found.set(key, { tenantId: standing.tenantId, poolId: standing.pool.id, verdict: worst })
    }
  }
  return [...found.values()]
}

interface Place {
  readonly view: BackendView
  readonly elsewhere: number
  readonly isHeld: boolean
}

function judge(suspect: Suspect, place: Place): Verdict | undefined {
  const { standing, here } = suspect
  const { view, isHeld } = place
  const evidence = evidenceOf(suspect, place)
  const harms = suffers(evidence, view)
  const over = standing.isKnown ? OVER_SHARE : OVER_SHARE_UNKNOWN
  const excess = excessOf(suspect)
  const isCulprit =
    isNews(standing, standing.most * view.rush.without(standing)) &&
    here.load > over * evidence.entitled &&
    excess >= EXCESS_OF_LOAD_MIN * view.load &&
    excess >= EXCESS_OF_ALL_MIN * view.excess
  if (isCulprit && harms) return { kind: 'noisy', evidence }
  if (isHeld && standing.offered > standing.most) return { kind: 'pressing', harms, evidence }
  return undefined
}

/** A tenant whose minutes differ widely is above what they ever were in one of them, now and then; who grows or floods is so in all. */
const isNews = ({ load, least }: Standing, most: number): boolean =>
  load > most && (load > FIRM_RATIO * most || least > LEAST_RATIO * most)

/** Whether more of the others' calls are impaired than chance explains, here rather than everywhere. */
function suffers({ impairedShare, impairedShareElsewhere }: Evidence, { calls }: BackendView): boolean {
  if (calls < CALLS_MIN) return false
  const chance = CHANCE_SCALES * Math.sqrt((SLOW_USUALLY * (1 - SLOW_USUALLY)) / calls)
  const more = impairedShare - SLOW_USUALLY
  return more >= Math.max(SLOW_MORE_MIN, chance) && impairedShareElsewhere - SLOW_USUALLY < ELSEWHERE_MAX * more
}

/** Of the backends that it does not use, by their impaired share, the middle one's: trouble at one of them says nothing of here. */
function middleElsewhere(
  inOrder: readonly { readonly backendId: BackendId; readonly share: number }[],
  { pool }: Standing,
): number {
  const elsewhere = inOrder.filter(({ backendId }) => !pool.backendIds.includes(backendId))
  return elsewhere[elsewhere.length >> 1]?.share ?? 0
}

function evidenceOf({ standing, here }: Suspect, { view, elsewhere }: Place): Evidence {
  const byWeight = view.weight > 0 ? standing.weight / view.weight : 1
  const entitled = Math.min(byWeight * view.load, standing.tokensPerMinute)
  return {
    poolId: standing.pool.id,
    backendIds: [view.backendId],
    load: Math.round(here.load),
    offered: Math.round(here.offered),
    usual: Math.round(standing.usual),
    most: Math.round(standing.most),
    share: view.load > 0 ? here.load / view.load : 0,
    entitledShare: view.load > 0 ? entitled / view.load : 1,
    entitled: Math.round(entitled),
    impairedShare: view.calls > 0 ? view.impaired / view.calls : 0,
    impairedShareElsewhere: elsewhere,
    victims: view.sufferers.filter(isVictim).slice(0, VICTIMS_MAX).map(victimOf),
  }
}

const isVictim = ({ here: { calls, impaired } }: Suspect): boolean =>
  calls >= VICTIM_CALLS_MIN && impaired >= VICTIM_SHARE_MIN * calls

const victimOf = ({ standing: { tenantId }, here }: Suspect): Victim => {
  const { load: _load, offered: _offered, ...served } = here
  return {
    tenantId,
    ...served,
    calls: Math.round(served.calls),
    impaired: Math.round(served.impaired),
    lost: Math.round(served.lost),
    p95Ms: rounded(served.p95Ms),
    usualP95Ms: rounded(served.usualP95Ms),
  }
}

const rounded = (value: number | undefined) => (value === undefined ? undefined : Math.round(value))

const rankOf = (verdict: Verdict): number => (verdict.kind === 'noisy' ? 2 : verdict.harms ? 1 : 0)

/** One verdict for the backends of a pool: the worst, with the figures of all for which it is as bad. */
function worse(a: Verdict, b: Verdict): Verdict {
  const difference = rankOf(a) - rankOf(b)
  if (difference !== 0) return difference > 0 ? a : b
  return { ...a, evidence: together(a.evidence, b.evidence) }
}

function together(a: Evidence, b: Evidence): Evidence {
  const load = a.load + b.load
  const total = (of: Evidence) => (of.share > 0 ? of.load / of.share : 0)
  const all = total(a) + total(b)
  const entitled = a.entitled + b.entitled
  return {
    ...a,
    backendIds: [...a.backendIds, ...b.backendIds],
    load,
    offered: a.offered + b.offered,
    entitled,
    share: all > 0 ? load / all : 0,
    entitledShare: all > 0 ? entitled / all : 1,
    impairedShare: Math.max(a.impairedShare, b.impairedShare),
    victims: [...a.victims, ...b.victims].sort((x, y) => y.impaired - x.impaired).slice(0, VICTIMS_MAX),
  }
}
