import { HOUR_MS } from '../metering/log-blob-name'
import { LatencySketch } from '../usage/latency-sketch'
import { HourShape, middleOf, type StoredHourShape } from './hour-shape'
import { JobParts, SHIFT_MS_MAX, type StoredJobParts } from './job-parts'
import type { MinuteFigures } from './minute-figures'
import { aboveBy, SeasonalNormal, usualOf, type Normal, type StoredNormal } from './seasonal-normal'

export const MINUTE_MS = 60_000
const MINUTES_AN_HOUR = HOUR_MS / MINUTE_MS

/** So many minutes are judged together: the middle one counts, so that one minute alone is neither a surge nor the end of one. */
export const LOAD_MINUTES = 3
/** Fewer calls of an hour say nothing of its p95, nor of how many are lost. */
const CALLS_MIN = 50
const PER_MILLE = 1_000
/** What is further out in an hour that went wrong is learned as this far: so what stays becomes usual in days, not at once. */
const LEARNED_SCALES_MAX = 3
/** Tokens a minute below which loads hardly differ: of a tenant with a call now and then one more would be a surge otherwise. */
const LOAD_FLOOR = 5_000

/** What is usual of a tenant in a pool, learned hour by hour. */
export interface PoolNormal {
  /** Tokens of a minute, as `loadOf` has them, at their most in the hour; each with LOAD_FLOOR on top. */
  readonly load: SeasonalNormal
  /** The same of the hour's middle minute: what its minutes are as a rule, without work that takes less than half of it. */
  readonly middle: SeasonalNormal
  /** How loads divide within an hour. */
  readonly shape: HourShape
  /** Which parts of their hours jobs took that do not run each hour. */
  readonly jobs: JobParts
  /** 95 % of the calls of ten minutes took no longer, milliseconds: in the middle one of the hour, so that a short rush does not count. */
  readonly p95: SeasonalNormal
  /** Of a thousand calls, those that were refused or not served. */
  readonly lost: SeasonalNormal
  /** Of what was metered later in the last hour, tokens a minute. */
  laterTokens: number
  /** Hours that began before this are learned. */
  learnedToMs: number
}

/** What an older row does not have is learned from then on. */
export interface StoredPoolNormal {
  readonly load: StoredNormal
  readonly middle: StoredNormal
  readonly parts: StoredHourShape
  readonly jobs?: StoredJobParts
  readonly p95: StoredNormal
  readonly lost: StoredNormal
  readonly laterTokens: number
  readonly learnedToMs: number
}

/** `sinceMs`: the start of the first hour that there is to learn. */
export const newPoolNormal = (sinceMs: number): PoolNormal => ({
  load: new SeasonalNormal(),
  middle: new SeasonalNormal(),
  shape: new HourShape(),
  jobs: new JobParts(),
  p95: new SeasonalNormal(),
  lost: new SeasonalNormal(),
  laterTokens: 0,
  learnedToMs: sinceMs,
})

/** Before its first call nothing is usual of a tenant. */
export const isAnythingKnown = ({ load }: PoolNormal): boolean => load.at(0).hours > 0

export const decodePoolNormal = (stored: StoredPoolNormal): PoolNormal => ({
  load: new SeasonalNormal(stored.load),
  middle: new SeasonalNormal(stored.middle),
  shape: new HourShape(stored.parts),
  jobs: new JobParts(stored.jobs),
  p95: new SeasonalNormal(stored.p95),
  lost: new SeasonalNormal(stored.lost),
  laterTokens: stored.laterTokens,
  learnedToMs: stored.learnedToMs,
})

export const encodePoolNormal = ({
  load,
  middle,
  shape,
  jobs,
  p95,
  lost,
  laterTokens,
  learnedToMs,
}: PoolNormal): StoredPoolNormal => ({
  load: load.encode(),
  middle: middle.encode(),
  parts: shape.encode(),
  jobs: jobs.encode(),
  p95: p95.encode(),
  lost: lost.encode(),
  laterTokens,
  learnedToMs,
})

/**
 * One hour of a tenant in a pool, of its minutes; an hour without any was an idle one. `wasNoisy`: what it asked for then is not
 * to become usual at once. How long its calls took and how many were lost never does.
 */
export function learnHour(
  normal: PoolNormal,
  { hourStartMs, minutes, wasNoisy }: { hourStartMs: number; minutes: readonly MinuteFigures[]; wasNoisy: boolean },
): void {
  const loads = loadsOfHour(minutes, hourStartMs).map((tokens) => tokens + LOAD_FLOOR)
  const load = Math.max(...loads)
  const middle = middleOf(loads)
  normal.load.learn(hourStartMs, wasNoisy ? clipped(load, normal.load.at(hourStartMs)) : load)
  normal.middle.learn(hourStartMs, wasNoisy ? clipped(middle, normal.middle.at(hourStartMs)) : middle)
  // An idle hour is even, which says nothing of one with work.
  if (!wasNoisy && load > 2 * LOAD_FLOOR) normal.shape.learn(loads)
  // A flood is no job.
  normal.jobs.learn(hourStartMs, wasNoisy ? undefined : loads)
  normal.laterTokens = sumOf(minutes, ({ laterTokens }) => laterTokens) / MINUTES_AN_HOUR
  normal.learnedToMs = hourStartMs + HOUR_MS
  const p95Ms = p95OfHour(minutes, hourStartMs)
  if (p95Ms !== undefined) normal.p95.learn(hourStartMs, clipped(p95Ms, normal.p95.at(hourStartMs)))
  const asked = sumOf(minutes, ({ calls, refused }) => calls + refused)
  if (asked < CALLS_MIN) return
  const lost = (PER_MILLE * sumOf(minutes, lostOf)) / asked
  normal.lost.learn(hourStartMs, clipped(lost, normal.lost.at(hourStartMs)))
}

const PART_MS = 10 * MINUTE_MS
const PART_CALLS_MIN = 20

/** Of so few calls that no part of the hour has enough of them it is the whole hour's; undefined where that has too few. */
function p95OfHour(minutes: readonly MinuteFigures[], hourStartMs: number): number | undefined {
  const parts = Array.from({ length: HOUR_MS / PART_MS }, () => new LatencySketch())
  for (const { startMs, latency } of minutes) parts[Math.floor((startMs - hourStartMs) / PART_MS)]?.merge(latency)
  const p95s = parts.filter(({ count }) => count >= PART_CALLS_MIN).map((part) => part.quantile(0.95) ?? 0)
  if (p95s.length > 0) return p95s.toSorted((a, b) => a - b)[p95s.length >> 1]
  const whole = new LatencySketch()
  for (const part of parts) whole.merge(part)
  return whole.count >= CALLS_MIN ? whole.quantile(0.95) : undefined
}

/** Refused or not served. */
export const lostOf = ({ refused, failed }: MinuteFigures): number => refused + failed

/** Tokens a minute as they are judged: the middle of three minutes. */
export const loadOf = (minutes: readonly [number, number, number]): number =>
  Math.max(Math.min(minutes[0], minutes[1]), Math.min(Math.max(minutes[0], minutes[1]), minutes[2]))

/** By the minute: what was judged at its end. Of the first two, what came before is not at hand: they are as the third. */
function loadsOfHour(minutes: readonly MinuteFigures[], hourStartMs: number): Float64Array {
  const tokens = new Float64Array(MINUTES_AN_HOUR)
  for (const minute of minutes) {
    const at = Math.floor((minute.startMs - hourStartMs) / MINUTE_MS)
    tokens[at] = (tokens[at] ?? 0) + minute.tokens
  }
  return tokens.map((_, at) => {
    const last = Math.max(at, LOAD_MINUTES - 1)
    return loadOf([tokens[last - 2] ?? 0, tokens[last - 1] ?? 0, tokens[last] ?? 0])
  })
}

/** Of a few hours nothing can be said to be far out. */
const HOURS_KNOWN_MIN = 6

const clipped = (value: number, normal: Normal): number =>
  normal.hours < HOURS_KNOWN_MIN ? value : Math.min(value, aboveBy(normal, LEARNED_SCALES_MAX))

/** So many scales above what is usual is no chance. */
const SURGE_SCALES = 3.25
/** Nor is it a surge that is not at least so many times what is usual, however evenly a tenant works. */
const SURGE_RATIO_MIN = 1.5

export interface UsualLoad {
  /** Tokens a minute: what its minutes are now, as a rule; and at their most. */
  readonly typical: number
  readonly usual: number
  /** What is above it is a surge. */
  readonly most: number
  /** Whether enough hours were seen for either to mean something. */
  readonly isKnown: boolean
}

/** What may be asked for at this time without being news. Near the turn of an hour the neighbouring hour's load is as usual. */
export function usualLoad(
  { load, middle, shape, jobs, laterTokens, learnedToMs }: PoolNormal,
  timeMs: number,
): UsualLoad {
  const near = [timeMs, timeMs - SHIFT_MS_MAX, timeMs + SHIFT_MS_MAX]
  const part = shape.at(timeMs)
  const [seasonal, times] = part.kind === 'free' ? [middle, part.times] : [load, 1]
  const hours = near
    .filter((at, i) => i === 0 || hourOf(at) !== hourOf(timeMs))
    // What grows for an hour is no excuse for growing on.
    .map((at) =>
      seasonal.at(at, {
        withoutNewest: hourOf(at) < hourOf(learnedToMs),
        inPlaceOf: part.kind === 'free' ? undefined : jobs.near(timeMs, at),
      }),
    )
  const tokens = (value: number) => Math.max(0, value - LOAD_FLOOR) + laterTokens
  return {
    typical: tokens(usualOf(middle.at(timeMs))),
    usual: tokens(times * Math.max(...hours.map(usualOf))),
    most: tokens(times * Math.max(...hours.map(mostOf))),
    isKnown: seasonal.at(timeMs).hours >= HOURS_KNOWN_MIN,
  }
}

/**
 * What was seen once and is no chance was a job, and may come again: it scatters as what is usual does. What chance explains says nothing
 * new, and is no excuse for more.
 */
function mostOf(normal: Normal): number {
  const seen = { ...normal, center: Math.log1p(normal.seenMax) }
  const isJob = normal.seenMax > aboveBy({ ...normal, center: normal.centerOfKind }, SURGE_SCALES)
  return Math.max(chanceMax(normal), isJob ? chanceMax(seen) : normal.seenMax)
}

const chanceMax = (normal: Normal): number => Math.max(aboveBy(normal, SURGE_SCALES), SURGE_RATIO_MIN * usualOf(normal))

/** How much longer than its usual p95 a call takes that is slow. */
const SLOW_RATIO = 1.1

/** Calls that take longer than this are slow for this tenant at this time; undefined while too little is known. Milliseconds. */
export function slowAfterMs({ p95 }: PoolNormal, timeMs: number): { usualMs: number; slowMs: number } | undefined {
  const normal = p95.at(timeMs)
  if (normal.hours < HOURS_KNOWN_MIN) return undefined
  const usualMs = usualOf(normal)
  return { usualMs, slowMs: SLOW_RATIO * usualMs }
}

/** Of all calls, more lost ones than this are too many; undefined while too little is known. 0 to 1. */
export function lostShareMax({ lost }: PoolNormal, timeMs: number): number | undefined {
  const normal = lost.at(timeMs)
  return normal.hours < HOURS_KNOWN_MIN ? undefined : aboveBy(normal, LEARNED_SCALES_MAX) / PER_MILLE
}

const hourOf = (timeMs: number) => Math.floor(timeMs / HOUR_MS)

export const sumOf = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((sum, item) => sum + value(item), 0)
