import { driftBoundsDefault } from '../../src/tenants/check-drift'
import type { FeatureCounts } from '../../src/drift/feature'
import { mergeCounts } from '../../src/drift/histogram'
import { compareFeatures, judgeDrift, SAMPLES_MIN, type DriftVerdict } from '../../src/drift/judge-drift'
import { seededFraction } from '../../src/base/seeded-fraction'
import { labelCounts, promptCounts, someCounts } from './seeded-samples'

const bounds = driftBoundsDefault
const steady: DriftVerdict = { kind: 'steady' }
const NOW = Date.UTC(2026, 10, 21)

const levelsOf = (baseline: FeatureCounts, now: FeatureCounts) =>
  Object.fromEntries(compareFeatures(baseline, now, bounds).map(({ feature, level }) => [feature, level]))

describe('a model', () => {
  const fraction = seededFraction(7)
  const baseline = someCounts(3_000, fraction)

  it('that is asked what it was trained on is steady in everything', () => {
    const compared = compareFeatures(baseline, someCounts(3_000, fraction), bounds)
    expect(compared.map(({ feature }) => feature)).toEqual(['promptTokens', 'messages', 'outputTokens', 'languages'])
    expect(compared.every(({ level }) => level === 'steady')).toBe(true)
    expect(judgeDrift(steady, compared, NOW)).toEqual(steady)
  })

  it('that is asked something else has drifted in that and in nothing else', () => {
    const now = {
      ...someCounts(2_000, fraction),
      languages: labelCounts(2_000, fraction, { en: 0.3, de: 0.1, ja: 0.6 }),
    }
    expect(levelsOf(baseline, now)).toEqual({
      promptTokens: 'steady',
      messages: 'steady',
      outputTokens: 'steady',
      languages: 'drifted',
    })
  })

  it('is not judged by fewer calls than can tell, however far off they are', () => {
    const now = { promptTokens: promptCounts(SAMPLES_MIN - 1, fraction, 3) }
    expect(levelsOf(baseline, now)['promptTokens']).toBe('too-few')
    expect(judgeDrift(steady, compareFeatures(baseline, now, bounds), NOW)).toEqual(steady)
  })

  it('is not judged by an index that chance explains, though it is beyond the bound', () => {
    // 60 requests then: for ten bins chance alone reaches 0.6.
    const few = { promptTokens: promptCounts(60, seededFraction(3)) }
    const [compared] = compareFeatures(few, { promptTokens: promptCounts(250, fraction, 0.3) }, bounds)
    expect(compared?.index).toBeGreaterThan(bounds.alarmAt)
    expect(compared?.level).toBe('steady')
  })
})

describe('a verdict', () => {
  const compared = (index: number) => {
    const level = index >= 0.25 ? 'drifted' : index >= 0.1 ? 'moved' : 'steady'
    return [
      { feature: 'languages', level, index, chance: 0.02, baselineRequests: 500, samples: 500, bins: [] },
    ] as const
  }
  const opened = judgeDrift(steady, compared(0.3), NOW)

  it('opens at the alarm, stays between the bounds, and closes below both', () => {
    expect(judgeDrift(steady, compared(0.2), NOW)).toEqual(steady)
    expect(opened).toEqual({ kind: 'drifted', sinceMs: NOW, features: ['languages'] })
    expect(judgeDrift(opened, compared(0.2), NOW + 1)).toBe(opened)
    expect(judgeDrift(opened, compared(0.05), NOW + 2)).toEqual(steady)
  })

  it('stays what it was while there is nothing to judge by', () => {
    expect(judgeDrift(opened, [], NOW + 1)).toBe(opened)
    const few = [{ ...compared(0.01)[0], level: 'too-few' as const }]
    expect(judgeDrift(opened, few, NOW + 1)).toBe(opened)
  })

  it('names what drifts later too, and keeps its beginning', () => {
    const more = [...compared(0.3), { ...compared(0.4)[0], feature: 'messages' as const }]
    expect(judgeDrift(opened, more, NOW + 1)).toEqual({ ...opened, features: ['languages', 'messages'] })
  })
})

describe('drift that comes', () => {
  /** As the window fills, looked at after `each` so many calls. */
  function foundAfter(
    fraction: () => number,
    draw: (samples: number) => FeatureCounts,
    { samplesMax, each }: { samplesMax: number; each: number },
  ) {
    const baseline = someCounts(1_000, fraction)
    let now: FeatureCounts = {}
    for (let samples = each; samples <= samplesMax; samples += each) {
      now = mergeCounts(now, draw(each))
      if (judgeDrift(steady, compareFeatures(baseline, now, bounds), NOW).kind === 'drifted') return samples
    }
    return undefined
  }

  it('is found within 1,000 samples, and none in twenty-five weeks without any', () => {
    const seed = 99
    const fraction = seededFraction(seed)
    const trials = 25
    const found: number[] = []
    let falseAlarms = 0
    for (let trial = 0; trial < trials; trial++) {
      const shifted = (samples: number) => ({
        ...someCounts(samples, fraction),
        promptTokens: promptCounts(samples, fraction, 0.65),
      })
      found.push(foundAfter(fraction, shifted, { samplesMax: 1_000, each: 100 }) ?? Infinity)
      // Seven days of 500 calls, looked at as they come.
      if (
        foundAfter(fraction, (samples) => someCounts(samples, fraction), { samplesMax: 3_500, each: 250 }) !== undefined
      )
        falseAlarms += 1
    }
    const mean = found.reduce((sum, samples) => sum + samples, 0) / trials
    console.log(
      `seed ${seed}: found after ${mean} samples on the mean; false alarms in ${falseAlarms} of ${trials} weeks`,
    )
    expect(Math.max(...found)).toBeLessThanOrEqual(1_000)
    expect(falseAlarms).toBe(0)
  })
})
