/**
 * Weeks of synthetic traffic with labelled episodes, minute by minute, for judging how noisy neighbours are found. Nothing here is
 * told who harms whom: tenants have demands, backends have capacities, and what a minute's calls take follows from the two. What an
 * episode did to others is known by working out the same minutes without it.
 */
import type { BackendId, TenantId } from '../src/base/ids'
import { LatencySketch } from '../src/usage/latency-sketch'
import { zeroSums, type GroupSums, type UsageOutcome } from '../src/usage/usage-sums'

export const MINUTE_MS = 60_000
export const DAY_MINUTES = 24 * 60
export const WEEK_MINUTES = 7 * DAY_MINUTES
/** A Monday, 00:00 UTC. */
export const START_MS = Date.UTC(2026, 0, 5)

export const TENANTS = 200

export interface SyntheticTenant {
  readonly id: TenantId
  readonly alias: string
  readonly backendIds: readonly BackendId[]
  readonly weight: number
  readonly tokensPerMinute: number
  /** Of its working hours' mean, tokens a minute. */
  readonly base: number
  readonly tokensPerCall: number
  readonly peakHour: number
  /** How much less at night and at weekends; 0 to 1. */
  readonly nightShare: number
  readonly weekendShare: number
  /** Of a minute's load, as the deviation of a logarithm: of minutes, and of a slow drift. */
  readonly noise: number
  readonly drift: number
  /** Of a call on an empty backend, median milliseconds. */
  readonly serviceMs: number
  readonly job: Job | undefined
}

/** What it does again and again, and has always done. */
interface Job {
  readonly everyMinutes: number
  readonly atMinute: number
  readonly minutes: number
  /** Times its base. */
  readonly times: number
}

interface SyntheticBackend {
  readonly id: BackendId
  /** Tokens a minute. */
  readonly capacity: number
}

export type EpisodeKind = 'sudden flood' | 'slow growth' | 'platform slowdown' | 'backend slowdown' | 'rush of all'

export interface Episode {
  readonly kind: EpisodeKind
  readonly startMinute: number
  readonly minutes: number
  /** Who is to blame; undefined where nobody is. */
  readonly culprit: SyntheticTenant | undefined
  readonly backendIds: readonly BackendId[]
  /** Of capacity, added by the culprit at its height; or how many times slower, or how many times as much is asked for. */
  readonly size: number
  /** The first of HARMED_MINUTES_MIN minutes running in which others were harmed, found out while the week is made. */
  harmedFrom: number | undefined
  /** Harmed minutes up to now, without a break. */
  harmedRunning: number
}

/** One tenant's minute in the shape of the roll-up: as it stands right after the minute, and when its calls have ended. */
export interface TenantMinute {
  readonly tenant: SyntheticTenant
  readonly fresh: readonly GroupSums[]
  readonly settled: readonly GroupSums[]
}

export interface World {
  readonly tenants: readonly SyntheticTenant[]
  readonly backends: readonly SyntheticBackend[]
  readonly episodes: readonly Episode[]
}

/** Pools of one and of two backends; who is where is by chance. */
const POOLS = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2]
/** Of capacity at working hours, before jobs and episodes. */
const BUSY_MIN = 0.45
const BUSY_MAX = 0.68
const EPISODE_GAP_MINUTES = 45

export function makeWorld(seed: number, { fromMinute, minutes }: { fromMinute: number; minutes: number }): World {
  const chance = seeded(seed)
  const pools: BackendId[][] = []
  let count = 0
  for (const size of POOLS) pools.push(Array.from({ length: size }, () => backendIdOf(seed, ++count)))
  const tenants = Array.from({ length: TENANTS }, (_, i) => makeTenant(chance, i, pools[i % pools.length] ?? []))
  const backends = pools.flatMap((pool) => {
    const demand = tenants.filter(({ backendIds }) => backendIds[0] === pool[0]).reduce((sum, t) => sum + t.base, 0)
    const busy = between(chance, BUSY_MIN, BUSY_MAX)
    return pool.map((id): SyntheticBackend => ({ id, capacity: demand / pool.length / busy }))
  })
  return { tenants, backends, episodes: makeEpisodes(chance, { tenants, pools, fromMinute, minutes }) }
}

function makeTenant(chance: Chance, i: number, backendIds: readonly BackendId[]): SyntheticTenant {
  const weight = pick(chance, [0.25, 1, 1, 1, 1, 4])
  return {
    id: `ten_${String(i).padStart(26, '0')}`,
    alias: 'chat',
    backendIds,
    weight,
    tokensPerMinute: weight === 4 ? 5_000_000 : 1_000_000,
    base: Math.exp(gaussian(chance) * 0.8) * 12_000,
    tokensPerCall: Math.exp(gaussian(chance) * 0.6) * 900,
    peakHour: between(chance, 8, 20),
    nightShare: between(chance, 0.1, 0.7),
    weekendShare: between(chance, 0.2, 1),
    noise: between(chance, 0.1, 0.5),
    drift: between(chance, 0.05, 0.25),
    serviceMs: Math.exp(gaussian(chance) * 0.5) * 1_800,
    job: chance() < 0.25 ? makeJob(chance) : undefined,
  }
}

function makeJob(chance: Chance): Job {
  const everyMinutes = pick(chance, [60, DAY_MINUTES, DAY_MINUTES, DAY_MINUTES, WEEK_MINUTES])
  const minutes = everyMinutes === 60 ? between(chance, 5, 12) : between(chance, 15, 60)
  return {
    everyMinutes,
    atMinute: Math.floor(chance() * everyMinutes),
    minutes: Math.round(minutes),
    times: between(chance, 3, 9),
  }
}

function makeEpisodes(
  chance: Chance,
  {
    tenants,
    pools,
    fromMinute,
    minutes,
  }: {
    tenants: readonly SyntheticTenant[]
    pools: readonly (readonly BackendId[])[]
    fromMinute: number
    minutes: number
  },
): Episode[] {
  const days = minutes / DAY_MINUTES
  const kinds: EpisodeKind[] = [
    ...Array.from({ length: Math.round(days * 3) }, () => 'sudden flood' as const),
    ...Array.from({ length: Math.round(days * 1.5) }, () => 'slow growth' as const),
    ...Array.from({ length: Math.round(days * 0.7) }, () => 'platform slowdown' as const),
    ...Array.from({ length: Math.round(days * 0.7) }, () => 'backend slowdown' as const),
    ...Array.from({ length: Math.round(days * 0.7) }, () => 'rush of all' as const),
  ]
  const episodes: Episode[] = []
  for (const kind of kinds) {
    for (let attempt = 0; attempt < 200; attempt++) {
      const length = Math.round(lengthOf(chance, kind))
      const startMinute = fromMinute + Math.floor(chance() * (minutes - length - EPISODE_GAP_MINUTES))
      const pool = pick(chance, pools)
      const backendIds = kind === 'platform slowdown' ? pools.flat() : pool
      const isFree = episodes.every((other) => isApart(other, { startMinute, minutes: length, backendIds }))
      if (!isFree) continue
      const culprit =
        kind === 'sudden flood' || kind === 'slow growth'
          ? pick(
              chance,
              tenants.filter((tenant) => tenant.backendIds[0] === pool[0]),
            )
          : undefined
      const size = sizeOf(chance, kind)
      episodes.push({
        kind,
        startMinute,
        minutes: length,
        culprit,
        backendIds,
        size,
        harmedFrom: undefined,
        harmedRunning: 0,
      })
      break
    }
  }
  return episodes.toSorted((a, b) => a.startMinute - b.startMinute)
}

const lengthOf = (chance: Chance, kind: EpisodeKind) =>
  kind === 'slow growth' ? between(chance, 180, 480) : between(chance, 12, 60)

function sizeOf(chance: Chance, kind: EpisodeKind): number {
  if (kind === 'sudden flood') return between(chance, 0.5, 1.5)
  if (kind === 'slow growth') return between(chance, 0.7, 1.1)
  return kind === 'rush of all' ? between(chance, 1.5, 2) : between(chance, 1.8, 3.5)
}

/** On the same backends one episode ends well before the next begins, so that each has its own effect. */
function isApart(a: Episode, b: Pick<Episode, 'startMinute' | 'minutes' | 'backendIds'>): boolean {
  if (!a.backendIds.some((id) => b.backendIds.includes(id))) return true
  const gap = EPISODE_GAP_MINUTES
  return a.startMinute + a.minutes + gap <= b.startMinute || b.startMinute + b.minutes + gap <= a.startMinute
}

/** Of capacity, waiting; what is beyond is refused. */
const BACKLOG_MINUTES_MAX = 0.5
const SLOWDOWN = 0.3
const BUSY_SHARE_MAX = 0.97
/** How much longer a typical call takes others, or how many more of theirs are lost, for them to be harmed. */
const HARM_RATIO = 1.4
const HARM_LOST = 0.05
const HARMED_MINUTES_MIN = 3
/** Of a backend's load: on a queue that is full already anybody's call makes others wait, and nobody is to blame for it. */
const BLAME_MIN = 0.15
const TYPICAL_MS = 2_000
/** When the timer looks at a minute, after its end. */
const LOOKED_AT_MS = 15_000
/** Of calls, times their tenant's median: drawn once, since drawing each anew was most of the time that a week takes. */
const SERVICE_DEVIATION = 0.45
const SERVICE_TIMES = serviceTimes(1 << 14)

interface Queue {
  /** Minutes of work that waits. */
  backlog: number
}

interface Effect {
  /** Times the service time, and milliseconds on top. */
  readonly factor: number
  readonly waitMs: number
  readonly lost: number
}

/** Makes one minute after the other. `samplesMax`: calls of a tenant whose times are drawn; the others take as long as those. */
export class Traffic {
  readonly #world: World
  readonly #chance: Chance
  readonly #drifts: number[]
  readonly #queues = new Map<BackendId, Queue>()
  readonly #without = new Map<BackendId, Queue>()
  readonly #capacity: ReadonlyMap<BackendId, number>
  /** Tenants of each backend by their place in the world, and how much of their load is there. */
  readonly #usersOf: ReadonlyMap<BackendId, readonly { readonly i: number; readonly share: number }[]>

  constructor(world: World, seed: number) {
    this.#world = world
    this.#chance = seeded(seed ^ 0x5f3759df)
    this.#drifts = world.tenants.map(() => 0)
    this.#capacity = new Map(world.backends.map(({ id, capacity }) => [id, capacity]))
    const users = world.tenants.flatMap(({ backendIds }, i) =>
      backendIds.map((id) => ({ id, i, share: 1 / backendIds.length })),
    )
    this.#usersOf = Map.groupBy(users, ({ id }) => id)
  }

  minute(minute: number, samplesMax: number): TenantMinute[] {
    const { tenants, episodes } = this.#world
    const active = episodes.filter(
      ({ startMinute, minutes }) => minute >= startMinute && minute < startMinute + minutes,
    )
    const demands = tenants.map((tenant, i) => this.#demand(tenant, i, { minute, active }))
    const effects = this.#effects(demands, { minute, active })
    return tenants.map((tenant, i) => this.#serve(tenant, demands[i]?.asked ?? 0, { effects, samplesMax }))
  }

  /** Tokens of the minute, and what they would be without the episode that the tenant is to blame for. */
  #demand(tenant: SyntheticTenant, i: number, { minute, active }: { minute: number; active: readonly Episode[] }) {
    const drift = 0.99 * (this.#drifts[i] ?? 0) + tenant.drift * Math.sqrt(1 - 0.99 ** 2) * gaussian(this.#chance)
    this.#drifts[i] = drift
    const noise = Math.exp(drift + tenant.noise * gaussian(this.#chance) - tenant.noise ** 2 / 2)
    const rush = active.find(({ kind, backendIds }) => kind === 'rush of all' && sharesBackend(tenant, backendIds))
    const usual = tenant.base * (seasonOf(tenant, minute) + jobOf(tenant, minute)) * noise * (rush?.size ?? 1)
    const own = active.find(({ culprit }) => culprit === tenant)
    return { asked: usual + (own ? this.#extra(own, minute) * Math.exp(0.15 * gaussian(this.#chance)) : 0), usual }
  }

  #extra({ kind, size, startMinute, minutes, backendIds }: Episode, minute: number): number {
    const capacity = backendIds.reduce((sum, id) => sum + (this.#capacity.get(id) ?? 0), 0)
    return size * capacity * (kind === 'slow growth' ? Math.min(1, (minute - startMinute + 1) / (minutes * 0.85)) : 1)
  }

  #effects(
    demands: readonly { asked: number; usual: number }[],
    { minute, active }: { minute: number; active: readonly Episode[] },
  ): Map<BackendId, Effect> {
    const { backends } = this.#world
    const effects = new Map<BackendId, Effect>()
    const harmed = new Set<Episode>()
    for (const { id, capacity } of backends) {
      const slow = active.find(({ kind, backendIds }) => kind.endsWith('slowdown') && backendIds.includes(id))
      let [asked, usual] = [0, 0]
      for (const { i, share } of this.#usersOf.get(id) ?? []) {
        asked += (demands[i]?.asked ?? 0) * share
        usual += (demands[i]?.usual ?? 0) * share
      }
      const effect = advance(queueOf(this.#queues, id), asked / capacity, slow?.size ?? 1)
      const without = advance(queueOf(this.#without, id), usual / capacity, slow?.size ?? 1)
      effects.set(id, effect)
      const own = active.find(({ culprit, backendIds }) => culprit && backendIds.includes(id))
      const blame = 1 - usual / asked
      if (own && blame >= BLAME_MIN && isHarm(effect, without)) harmed.add(own)
    }
    for (const episode of active) {
      episode.harmedRunning = harmed.has(episode) ? episode.harmedRunning + 1 : 0
      // A minute or two by themselves are not the beginning.
      if (episode.harmedRunning === HARMED_MINUTES_MIN) episode.harmedFrom ??= minute + 1 - HARMED_MINUTES_MIN
    }
    return effects
  }

  #serve(
    tenant: SyntheticTenant,
    asked: number,
    { effects, samplesMax }: { effects: ReadonlyMap<BackendId, Effect>; samplesMax: number },
  ): TenantMinute {
    const fresh: GroupSums[] = []
    const settled: GroupSums[] = []
    for (const backendId of tenant.backendIds) {
      const effect = effects.get(backendId) ?? { factor: 1, waitMs: 0, lost: 0 }
      const calls = poisson(this.#chance, asked / tenant.backendIds.length / tenant.tokensPerCall)
      if (calls === 0) continue
      const lost = Math.round(calls * effect.lost)
      const served = calls - lost
      const samples = Math.min(served, samplesMax)
      const [ended, running] = [new LatencySketch(), new LatencySketch()]
      for (let i = 0; i < samples; i++) {
        const times = Math.floor(((i + 1) * served) / samples) - Math.floor((i * served) / samples)
        const ms = tenant.serviceMs * pick(this.#chance, SERVICE_TIMES) * effect.factor + effect.waitMs
        // Came at any time of the minute.
        const isRunning = this.#chance() * MINUTE_MS + ms > MINUTE_MS + LOOKED_AT_MS
        const sketch = isRunning ? running : ended
        sketch.add(ms, times)
      }
      const tokens = tenant.tokensPerCall
      const unsettled = running.count
      const early = groupOf(tenant, {
        backendId,
        outcome: 'completed',
        calls: served - unsettled,
        tokens,
        latency: ended,
      })
      fresh.push(early)
      if (unsettled === 0) settled.push(early)
      else {
        running.merge(ended)
        settled.push(groupOf(tenant, { backendId, outcome: 'completed', calls: served, tokens, latency: running }))
        fresh.push(groupOf(tenant, { backendId: null, outcome: 'unsettled', calls: unsettled, tokens: 0 }))
      }
      if (lost > 0) {
        const failed = groupOf(tenant, { backendId, outcome: 'failed', calls: lost, tokens: 0 })
        fresh.push(failed)
        settled.push(failed)
      }
    }
    return { tenant, fresh, settled }
  }
}

const sharesBackend = ({ backendIds }: SyntheticTenant, others: readonly BackendId[]) =>
  backendIds.some((id) => others.includes(id))

function queueOf(queues: Map<BackendId, Queue>, id: BackendId): Queue {
  const known = queues.get(id) ?? { backlog: 0 }
  queues.set(id, known)
  return known
}

/** One minute of a queue that everybody shares: what is offered, in minutes of its work, and how many times slower it works. */
function advance(queue: Queue, offered: number, slower: number): Effect {
  const room = BACKLOG_MINUTES_MAX + 1 - queue.backlog
  const taken = Math.min(offered, Math.max(0, room))
  const lost = offered > 0 ? (offered - taken) / offered : 0
  const before = queue.backlog
  queue.backlog = Math.max(0, queue.backlog + taken - 1)
  const busy = Math.min(BUSY_SHARE_MAX, offered)
  const factor = slower * (1 + (SLOWDOWN * busy ** 2) / (1 - busy))
  return { factor, waitMs: ((before + queue.backlog) / 2) * MINUTE_MS, lost }
}

const typicalMs = ({ factor, waitMs }: Effect) => TYPICAL_MS * factor + waitMs

const isHarm = (effect: Effect, without: Effect): boolean =>
  typicalMs(effect) >= HARM_RATIO * typicalMs(without) || effect.lost - without.lost >= HARM_LOST

function seasonOf({ peakHour, nightShare, weekendShare }: SyntheticTenant, minute: number): number {
  const hour = (minute / 60) % 24
  const isWeekend = Math.floor(minute / DAY_MINUTES) % 7 >= 5
  const day = 0.5 + 0.5 * Math.cos(((hour - peakHour) / 24) * 2 * Math.PI)
  return (nightShare + (1 - nightShare) * day) * (isWeekend ? weekendShare : 1)
}

function jobOf({ job }: SyntheticTenant, minute: number): number {
  if (!job) return 0
  const since = (((minute - job.atMinute) % job.everyMinutes) + job.everyMinutes) % job.everyMinutes
  return since < job.minutes ? job.times : 0
}

/** Of what is not looked at: one for all, since each minute has hundreds of groups. */
const NOTHING = new LatencySketch()

function groupOf(
  tenant: SyntheticTenant,
  {
    backendId,
    outcome,
    calls,
    tokens,
    latency = NOTHING,
  }: { backendId: BackendId | null; outcome: UsageOutcome; calls: number; tokens: number; latency?: LatencySketch },
): GroupSums {
  const sums = zeroSums()
  if (outcome === 'unsettled') sums.unsettled = calls
  else sums.calls = calls
  sums.promptTokens = Math.round(calls * tokens)
  return {
    group: {
      key: 'key_0',
      alias: tenant.alias,
      model: 'gpt-4.1-mini',
      operation: 'chat.completions',
      outcome,
      backend: backendId,
      deployment: null,
      region: null,
    },
    sums,
    sketches: { latency, firstByte: NOTHING, queued: NOTHING },
  }
}

const backendIdOf = (seed: number, n: number): BackendId => `bke_${String(seed * 1_000 + n).padStart(26, '0')}`

function serviceTimes(count: number): Float64Array {
  const chance = seeded(0x2545f491)
  return Float64Array.from({ length: count }, () => Math.exp(SERVICE_DEVIATION * gaussian(chance)))
}

type Chance = () => number

/** mulberry32: the same week for the same seed. */
function seeded(seed: number): Chance {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const between = (chance: Chance, least: number, most: number) => least + (most - least) * chance()

function pick<T>(chance: Chance, from: ArrayLike<T>): T {
  const picked = from[Math.floor(chance() * from.length)]
  if (picked === undefined) throw new Error('there is nothing to pick from')
  return picked
}

/** Box and Muller 1958. */
function gaussian(chance: Chance): number {
  return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
}

/** By its Gaussian limit where it is large. */
function poisson(chance: Chance, mean: number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gaussian(chance)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = chance(); product > limit; product *= chance()) count += 1
  return count
}
