import { assertNever } from '../base/assert'
import { amountBins, labelBins, type CoarseBin } from './coarse-bins'
import { features, isAmount, type Feature, type FeatureCounts } from './feature'
import { chanceBound, populationStability } from './population-stability'

/** Of the baseline, and of the calls: below it nothing is said of a feature. */
const BASELINE_REQUESTS_MIN = 50
export const SAMPLES_MIN = 200

export interface DriftBounds {
  /** From here a feature is called moved, which is shown. */
  readonly warnAt: number
  /** From here it is called drifted, which raises an alert and proposes a retraining. */
  readonly alarmAt: number
}

export interface ComparedFeature {
  readonly feature: Feature
  readonly level: FeatureLevel
  readonly index: number
  /** What chance alone makes of the index between samples of these sizes, but once in a thousand times. */
  readonly chance: number
  readonly baselineRequests: number
  readonly samples: number
  readonly bins: readonly CoarseBin[]
}

export const featureLevels = ['too-few', 'steady', 'moved', 'drifted'] as const
/** `too-few`: nothing can be said. `moved` and `drifted` are beyond chance as well as beyond their bound. */
export type FeatureLevel = (typeof featureLevels)[number]

/** Every feature that both sides have, in the order of their list. Pure. */
export const compareFeatures = (
  baseline: FeatureCounts,
  now: FeatureCounts,
  bounds: DriftBounds,
): readonly ComparedFeature[] =>
  features.flatMap((feature) => {
    const then = baseline[feature]
    if (!then) return []
    const bins = isAmount(feature) ? amountBins(then, now[feature] ?? {}) : labelBins(then, now[feature] ?? {})
    if (bins.length === 0) return []
    const baselineRequests = bins.reduce((sum, bin) => sum + bin.baseline, 0)
    const samples = bins.reduce((sum, bin) => sum + bin.now, 0)
    const index = populationStability(
      bins.map((bin) => bin.baseline),
      bins.map((bin) => bin.now),
    )
    const chance = chanceBound({ m: baselineRequests, n: samples, bins: bins.length })
    const isKnown = baselineRequests >= BASELINE_REQUESTS_MIN && samples >= SAMPLES_MIN
    const level = isKnown ? levelOf(index, chance, bounds) : 'too-few'
    return [{ feature, level, index, chance, baselineRequests, samples, bins }]
  })

function levelOf(index: number, chance: number, { warnAt, alarmAt }: DriftBounds): FeatureLevel {
  if (index <= chance || index < warnAt) return 'steady'
  return index < alarmAt ? 'moved' : 'drifted'
}

/** What is known of a model, kept between two judgements. */
export type DriftVerdict =
  | { readonly kind: 'steady' }
  /** Since then, Unix milliseconds, until every feature is steady again. */
  | { readonly kind: 'drifted'; readonly sinceMs: number; readonly features: readonly Feature[] }

/**
 * With hysteresis: one feature that has drifted opens a verdict, and only all of them steady close it, so that an index near its
 * bound raises one alert and not one an hour. Where too little is known, what was known before holds. Pure.
 */
export function judgeDrift(before: DriftVerdict, compared: readonly ComparedFeature[], nowMs: number): DriftVerdict {
  const drifted = compared.filter(({ level }) => level === 'drifted').map(({ feature }) => feature)
  switch (before.kind) {
    case 'steady':
      return drifted.length > 0 ? { kind: 'drifted', sinceMs: nowMs, features: drifted } : before
    case 'drifted': {
      const known = before.features.flatMap((feature) => compared.filter((one) => one.feature === feature))
      const isOver = known.length > 0 && known.every(({ level }) => level === 'steady') && drifted.length === 0
      if (isOver) return { kind: 'steady' }
      const more = drifted.filter((feature) => !before.features.includes(feature))
      return more.length > 0 ? { ...before, features: [...before.features, ...more] } : before
    }
    default:
      return assertNever(before)
  }
}
