import fc from 'fast-check'
import { amountBins, labelBins } from '../../src/drift/coarse-bins'
import type { Counts, FeatureCounts } from '../../src/drift/feature'
import { binOf, counted, leastOf, mergeCounts, totalOf } from '../../src/drift/histogram'
import { chanceBound, populationStability } from '../../src/drift/population-stability'
import { seededFraction } from '../../src/base/seeded-fraction'
import { promptCounts } from './seeded-samples'

const counts = (labels: fc.Arbitrary<string>) =>
  fc.dictionary(labels, fc.integer({ min: 1, max: 10_000 }), { minKeys: 1, maxKeys: 40 })
const amounts: fc.Arbitrary<Counts> = counts(fc.nat(2_000_000).map(binOf))
const labels: fc.Arbitrary<Counts> = counts(fc.constantFrom('en', 'de', 'fr', 'it', 'ja', 'others', 'und'))
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0)
const histograms = fc
  .integer({ min: 1, max: 20 })
  .chain((bins) => fc.tuple(...[0, 1].map(() => fc.array(fc.nat(1_000), { minLength: bins, maxLength: bins }))))

describe('the stability index', () => {
  it('is 0 for equal shares, never below, and the same in both directions', () => {
    fc.assert(
      fc.property(histograms, ([one = [], other = []]) => {
        const index = populationStability(one, other)
        expect(populationStability(one, one)).toBe(0)
        expect(index).toBeGreaterThanOrEqual(0)
        expect(index).toBeCloseTo(populationStability(other, one), 10)
        expect(Number.isFinite(index)).toBe(true)
      }),
    )
  })

  it('is what the formula gives by hand', () => {
    // 50:50 against 90:10 of so many that half a request does not show: 2 × 0.4 × ln(9) / 2.
    const index = populationStability([500_000, 500_000], [900_000, 100_000])
    expect(index).toBeCloseTo(0.4 * Math.log(0.9 / 0.5) - 0.4 * Math.log(0.1 / 0.5), 4)
  })
})

describe('what chance alone makes of the index', () => {
  it('follows the quantiles of a χ² of one less than the bins', () => {
    // Of the χ² of 1, 4, 9 and 11 degrees at 0.999, by R's qchisq; the approximation is off by 1.5 % at most.
    for (const [bins, quantile] of [
      [2, 10.828],
      [5, 18.467],
      [10, 27.877],
      [12, 31.264],
    ] as const)
      expect(chanceBound({ m: 200, n: 200, bins }) / (quantile / 100)).toBeCloseTo(1, 1)
    expect(chanceBound({ m: 0, n: 200, bins: 10 })).toBe(Infinity)
  })

  it('is passed by samples of one distribution about once in a thousand times', () => {
    const seed = 20_261
    const fraction = seededFraction(seed)
    let passed = 0
    const trials = 1_000
    for (let trial = 0; trial < trials; trial++) {
      const bins = amountBins(promptCounts(400, fraction), promptCounts(250, fraction))
      const [then, now] = [bins.map(({ baseline }) => baseline), bins.map((bin) => bin.now)]
      const bound = chanceBound({ m: sumOf(then), n: sumOf(now), bins: bins.length })
      if (populationStability(then, now) > bound) passed += 1
    }
    console.log(`seed ${seed}: ${passed} of ${trials} comparisons without a shift passed the bound`)
    expect(passed / trials).toBeLessThan(0.005)
  })
})

describe('bins of a comparison', () => {
  it('hold every request once, then and now', () => {
    fc.assert(
      fc.property(amounts, amounts, (baseline, now) => {
        const bins = amountBins(baseline, now)
        expect(bins.reduce((sum, bin) => sum + bin.baseline, 0)).toBe(totalOf(baseline))
        expect(bins.reduce((sum, bin) => sum + bin.now, 0)).toBe(totalOf(now))
        expect(bins.length).toBeLessThanOrEqual(12)
        expect(new Set(bins.map(({ name }) => name)).size).toBe(bins.length)
      }),
    )
    fc.assert(
      fc.property(labels, labels, (baseline, now) => {
        const bins = labelBins(baseline, now)
        expect(bins.reduce((sum, bin) => sum + bin.baseline, 0)).toBe(totalOf(baseline))
        expect(bins.reduce((sum, bin) => sum + bin.now, 0)).toBe(totalOf(now))
      }),
    )
  })

  it('show amounts beyond all that was trained on, also where that was always the same', () => {
    const [same, longer] = [{ [binOf(100)]: 500 }, { [binOf(100)]: 100, [binOf(9_000)]: 400 }]
    const bins = amountBins(same, longer)
    expect(bins.map(({ baseline, now }) => [baseline, now])).toEqual([
      [0, 0],
      [500, 100],
      [0, 400],
    ])
    const index = populationStability(
      bins.map(({ baseline }) => baseline),
      bins.map(({ now }) => now),
    )
    expect(index).toBeGreaterThan(1)
  })

  it('name a label that was not there before and is common now, and not each that is rare', () => {
    const bins = labelBins({ en: 950, de: 45, fr: 5 }, { en: 600, ja: 390, ko: 10 })
    expect(bins).toEqual([
      { name: 'en', baseline: 950, now: 600 },
      { name: 'de', baseline: 45, now: 0 },
      { name: 'ja', baseline: 0, now: 390 },
      { name: 'others', baseline: 5, now: 10 },
    ])
  })

  it('name the amounts that are in them', () => {
    for (const amount of [0, 1, 2, 3, 7, 100, 12_345]) {
      const bin = Number(binOf(amount))
      expect(leastOf(bin)).toBeLessThanOrEqual(amount)
      expect(leastOf(bin + 1)).toBeGreaterThan(amount)
    }
  })
})

describe('counts of instances and days', () => {
  const parts = fc.array(fc.record({ promptTokens: amounts, languages: labels }, { requiredKeys: [] }), {
    minLength: 1,
    maxLength: 8,
  })
  const merged = (list: readonly FeatureCounts[]) => list.reduce(mergeCounts, {})

  it('come to the same in whatever order and grouping they are merged', () => {
    fc.assert(
      fc.property(
        parts.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }), fc.nat(list.length)),
        ),
        ([list, shuffled, cut]) => {
          const whole = merged(list)
          expect(merged(shuffled)).toEqual(whole)
          const grouped = mergeCounts(merged(list.slice(0, cut)), merged(list.slice(cut)))
          expect(grouped).toEqual(whole)
        },
      ),
    )
  })

  it('grow by one for each feature that was measured, and by nothing for others', () => {
    const once = counted({}, { scripts: 'Latn', promptTokens: '20' })
    expect(counted(once, { scripts: 'Latn' })).toEqual({ scripts: { Latn: 2 }, promptTokens: { '20': 1 } })
  })

  it('take no more labels than their bound, whatever calls say', () => {
    let counts: FeatureCounts = {}
    for (let n = 0; n < 300; n++) counts = counted(counts, { languages: `l${n}` })
    expect(Object.keys(counts.languages ?? {})).toHaveLength(200)
    expect(counted(counts, { languages: 'l0' }).languages?.['l0']).toBe(2)
  })
})
