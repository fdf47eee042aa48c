import { seededChance } from '../evaluation/seeded-chance'

/** Series of days whose truth is known, made from a seed: what a forecast is judged by, in tests and in bench/forecast.ts. */

export interface MadeSeries {
  readonly kind: SeriesKind
  /** What was there to see. */
  readonly seen: readonly (number | undefined)[]
  /** What came after it, and the same without its noise. */
  readonly came: readonly number[]
  readonly truth: readonly number[]
}

export const seriesKinds = [
  'linear growth',
  'growth in proportion',
  'growth that ends',
  'decline',
  'flat',
  'business week',
  'two months only',
  'level shifts',
  'odd days',
  'gaps',
  'wandering level',
  'peak minutes',
] as const
export type SeriesKind = (typeof seriesKinds)[number]

/** Season plus trend and noise, and nothing else. */
export const seasonalTrendKinds: readonly SeriesKind[] = [
  'linear growth',
  'growth in proportion',
  'growth that ends',
  'decline',
  'business week',
  'two months only',
]

export const AHEAD_DAYS = 60

export function makeSeries(kind: SeriesKind, seed: number): MadeSeries {
  const chance = seededChance(1 + seed * 7_919 + seriesKinds.indexOf(kind) * 104_729)
  const between = (from: number, to: number) => from + (to - from) * chance()
  const days = kind === 'two months only' ? Math.round(between(42, 63)) : Math.round(between(120, 300))
  const total = days + AHEAD_DAYS
  const season = makeSeason(kind, between)
  const level = makeLevel(kind, { days, total, between, normal: () => normal(chance) })
  const noise = between(0.04, 0.2)
  const truth = level.map((value, day) => value * (season[day % 7] ?? 1))
  const factor = () => (kind === 'peak minutes' ? Math.exp(noise * gumbel(chance)) : Math.exp(noise * normal(chance)))
  const came = truth.map((value) => Math.round(value * factor()))
  const seen = came.slice(0, days).map((value) => {
    if (kind === 'gaps' && chance() < 0.12) return undefined
    if (kind === 'odd days' && chance() < 0.05) return Math.round(value * (chance() < 0.3 ? 0 : between(3, 10)))
    return value
  })
  return { kind, seen, came: came.slice(days), truth: truth.slice(days) }
}

type Between = (from: number, to: number) => number

function makeSeason(kind: SeriesKind, between: Between): readonly number[] {
  const weekend = kind === 'business week' ? between(0.005, 0.15) : between(0.3, 1.3)
  const first = Math.floor(between(0, 7))
  return Array.from({ length: 7 }, (_, day) => ((day + first) % 7 >= 5 ? weekend : 1) * between(0.85, 1.15))
}

interface LevelParts {
  readonly days: number
  readonly total: number
  readonly between: Between
  readonly normal: () => number
}

function makeLevel(kind: SeriesKind, { days, total, between, normal }: LevelParts): readonly number[] {
  const start = 10 ** between(3, 7)
  const over = (of: (day: number) => number) => Array.from({ length: total }, (_, day) => start * of(day))
  const slope = between(0.001, 0.012)
  switch (kind) {
    case 'growth in proportion': {
      const rate = between(0.001, 0.01)
      return over((day) => Math.exp(rate * day))
    }
    case 'growth that ends': {
      const [middle, width, times] = [between(0.3, 0.9) * days, between(15, 50), between(1, 5)]
      return over((day) => 1 + times / (1 + Math.exp((middle - day) / width)))
    }
    case 'decline': {
      const rate = between(0.001, 0.008)
      return over((day) => Math.exp(-rate * day))
    }
    case 'flat':
      return over(() => 1)
    case 'level shifts': {
      const shifts = [between(0.2, 0.5), between(0.6, 0.9)].map((at) => ({
        at: Math.min(days - 14, Math.round(at * days)),
        times: between(0, 1) < 0.7 ? between(1.4, 3) : between(0.3, 0.7),
      }))
      return over((day) =>
        shifts.reduce((level, { at, times }) => (day >= at ? level * times : level), 1 + (slope / 4) * day),
      )
    }
    case 'wandering level': {
      const step = between(0.01, 0.025)
      let log = 0
      return over(() => Math.exp((log += step * normal())))
    }
    default:
      return over((day) => 1 + slope * day)
  }
}

const normal = (chance: () => number) => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
/** Of the largest of many, about its median. */
const gumbel = (chance: () => number) => -Math.log(-Math.log(1 - chance() * 0.999_999)) + Math.log(Math.log(2))
