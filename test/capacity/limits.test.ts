import fc from 'fast-check'
import { zeroSums, type UsageGroup, type UsageSums } from '../../src/usage/usage-sums'
import { startOfDay } from '../../src/capacity/day'
import { createDayTally } from '../../src/capacity/day-tally'
import { headroom, wantedBy, type SharedDeployment } from '../../src/capacity/headroom'
import { ALERT_DAYS, CALM_DAYS, decideAlerts } from '../../src/capacity/limit-alerts'
import { limitOutlook, withoutCeiling, type LimitName, type LimitOutlook } from '../../src/capacity/limit-outlook'
import { limitsOfDeployment } from '../../src/capacity/deployment-limits'
import { lastDayOf, seriesOf, withDays, type ObservedDay } from '../../src/capacity/observed-days'
import { makeOutlook } from '../../src/capacity/outlook'
import { sizeWithin, withSize } from '../../src/capacity/run'
import type { SeriesForecast } from '../../src/capacity/forecast/forecast-series'
import { tenantInput } from '../../src/tenants/tenant-input'
import { firstDay } from './capacity-world'

const rising: SeriesForecast = {
  kind: 'forecast',
  method: 'trend',
  expected: Array.from({ length: 90 }, (_, i) => 100 + i),
  lower: Array.from({ length: 90 }, () => 0),
  upper: Array.from({ length: 90 }, (_, i) => 120 + 2 * i),
  dayNoise: 0,
  growthPerDay: 0.01,
  daysKnown: 60,
}
/** Day 20 of a month of 30 days. */
const through = firstDay + 19

describe('a limit', () => {
  const at = (name: LimitOutlook['name'], limit: number, series = [100, 100, 100]) =>
    limitOutlook({ name, limit, series, forecast: rising, through })

  it('a minute or a day is reached on the first day that is expected to come up to it', () => {
    expect(at('tokensPerMinute', 130)).toMatchObject({ expectedInDays: 31, earliestInDays: 6, used: 100 })
    expect(at('tokensPerDay', 1_000)).toMatchObject({ expectedInDays: undefined, earliestInDays: undefined })
    expect(at('tokensPerMinute', 101)).toMatchObject({ expectedInDays: 0, earliestInDays: 0 })
  })

  it('a day is reached by the first single day that is likely to come up to it, before the path does', () => {
    const flat = { ...rising, expected: rising.expected.map(() => 100), upper: rising.upper.map(() => 115) }
    const inDays = (dayNoise: number, limit: number) =>
      limitOutlook({ name: 'tokensPerMinute', limit, series: [90], forecast: { ...flat, dayNoise }, through })
        .expectedInDays
    // A limit of two standard deviations is passed by one day in 44: half of all months of 31 days have such a day.
    expect(inDays(0.1, 100 * Math.exp(0.2))).toBe(31)
    expect(inDays(0.1, 100 * Math.exp(0.4))).toBeUndefined()
    expect(inDays(0, 100 * Math.exp(0.2))).toBeUndefined()
    expect(inDays(0.1, 100)).toBe(1)
  })

  it('a month is reached by the days of that month alone', () => {
    const month = Array.from({ length: 20 }, () => 100)
    // 2,000 so far, and 100, 101, … for the ten days that are left of it.
    expect(at('tokensPerMonth', 2_301, month)).toMatchObject({ used: 2_000, expectedInDays: 3 })
    expect(at('tokensPerMonth', 3_045, month)).toMatchObject({ expectedInDays: 10 })
    // July has 31 days, from the eleventh that comes on: 110 + 111 + … is 3,875 by its end.
    expect(at('tokensPerMonth', 3_875, month)).toMatchObject({ expectedInDays: 41 })
    expect(at('tokensPerMonth', 4_836, month).expectedInDays).toBe(72)
    // The days before this month do not count for it.
    expect(at('tokensPerMonth', 2_301, [9_999, 9_999, ...month])).toMatchObject({ used: 2_000 })
  })

  it('that calls were turned away at counts as reached, and is not a ceiling that hides what is wanted', () => {
    const peaks = [60, 95, 97, 10]
    const [requests, turnedAway] = [
      [100, 100, 100, 100],
      [0, 5, 0, 5],
    ]
    expect(withoutCeiling(peaks, { limit: 100, requests, turnedAway })).toEqual([60, 100, 97, 10])
    expect(withoutCeiling([undefined, 200], { limit: 100, requests, turnedAway: [50, 50] })).toEqual([undefined, 200])
  })
})

describe('alerts of limits', () => {
  const limit = (expectedInDays: number | undefined): LimitOutlook => ({
    name: 'tokensPerDay',
    limit: 100,
    used: 50,
    expectedInDays,
    earliestInDays: undefined,
  })
  const decide = (expectedInDays: number | undefined, alerted: readonly LimitName[]) =>
    decideAlerts({ limits: [limit(expectedInDays)], alerted })

  it('are one alert while the day moves to and fro about a month, and taken back when it has moved away', () => {
    let alerted: readonly LimitName[] = []
    const said = [45, ALERT_DAYS, 35, 28, CALM_DAYS, CALM_DAYS + 1, 35, 29, undefined].map((days) => {
      const { decisions, alerted: now } = decide(days, alerted)
      alerted = now
      return decisions.map(({ kind }) => kind).join()
    })
    expect(said).toEqual(['', 'raise', 'raise', 'raise', 'raise', 'resolve', '', 'raise', 'resolve'])
  })

  it('are critical when there is but a week left', () => {
    expect(decide(8, ['tokensPerDay']).decisions).toMatchObject([{ kind: 'raise', severity: 'warning' }])
    expect(decide(7, ['tokensPerDay']).decisions).toMatchObject([{ kind: 'raise', severity: 'critical' }])
    expect(decide(0, []).decisions).toMatchObject([{ kind: 'raise', severity: 'critical' }])
  })

  it('are taken back for a limit that is not there any more', () => {
    expect(decideAlerts({ limits: [], alerted: ['tokensPerDay'] })).toEqual({
      decisions: [{ kind: 'resolve', name: 'tokensPerDay' }],
      alerted: [],
    })
  })
})

const group = (more: Partial<UsageGroup> = {}): UsageGroup => ({
  key: 'key_1',
  alias: 'chat',
  model: 'gpt-4.1',
  operation: 'chat.completions',
  outcome: 'completed',
  backend: 'bke_1',
  deployment: 'd',
  region: 'swedencentral',
  ...more,
})
const sums = (more: Partial<UsageSums>): UsageSums => ({ ...zeroSums(), ...more })

describe('a day', () => {
  const day0 = startOfDay(firstDay)
  const used = { calls: 1, promptTokens: 100, cachedTokens: 40, outputTokens: 10, costMicroUsd: 7 }

  it('is the same in whatever order its pieces come', () => {
    const piece = fc.record({ minute: fc.nat(2_879), tokens: fc.nat(1_000), calls: fc.nat(5) })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(), (pieces, seed) => {
        const tally = (list: typeof pieces) => {
          const made = createDayTally({ minutesFromDay: firstDay, outputWeight: 4, turnedAway: 'refused' })
          for (const { minute, tokens, calls } of list)
            made.add(day0 + minute * 60_000, group(), sums({ calls, promptTokens: tokens, outputTokens: tokens }))
          return Object.fromEntries(made.days())
        }
        const turned = [...pieces.slice(seed % 7), ...pieces.slice(0, seed % 7)].toReversed()
        expect(tally(turned)).toEqual(tally(pieces))
      }),
      { numRuns: 50 },
    )
  })

  it('has the fullest minute of all keys together, without what comes at its end: batches, training, the background', () => {
    const tally = createDayTally({ minutesFromDay: firstDay, outputWeight: 4, turnedAway: 'refused' })
    tally.add(day0, group({ key: 'key_1' }), sums(used))
    tally.add(day0, group({ key: 'key_2' }), sums(used))
    tally.add(day0 + 60_000, group(), sums(used))
    for (const operation of ['batch.chat.completions', 'fine_tuning.training', 'responses.background'])
      tally.add(day0, group({ operation }), sums({ calls: 1, promptTokens: 1_000_000 }))
    expect(tally.days().get(firstDay)).toEqual({
      requests: 6,
      tokens: 3_000_330,
      costMicroUsd: 21,
      peakRequests: 2,
      peakTokens: 220,
      peakLoad: 2 * (60 + 40),
      turnedAway: 0,
    } satisfies ObservedDay)
  })

  it('does not count what was refused as use, and knows no fullest minute where there were none to be had', () => {
    const tally = createDayTally({ minutesFromDay: firstDay + 1, turnedAway: 'refused' })
    tally.add(day0, group({ outcome: 'refused', backend: null }), sums({ refused: 9 }))
    tally.add(day0, group(), sums(used))
    expect(tally.days().get(firstDay)).toMatchObject({
      requests: 1,
      turnedAway: 9,
      peakTokens: undefined,
      peakLoad: undefined,
    })
  })

  it('is kept as it was seen last, with days of no use in between, and for no longer than there is room', () => {
    const observed = (tokens: number): ObservedDay => ({
      requests: 1,
      tokens,
      costMicroUsd: 0,
      peakRequests: 1,
      peakTokens: tokens,
      peakLoad: undefined,
      turnedAway: 0,
    })
    const first = withDays(undefined, new Map([[firstDay, observed(5)]]))
    const second = withDays(
      first,
      new Map([
        [firstDay, { ...observed(6), peakTokens: undefined }],
        [firstDay + 3, observed(9)],
      ]),
    )
    expect(second && seriesOf(second, 'tokens', firstDay + 4)).toEqual([6, 0, 0, 9, 0])
    expect(second && seriesOf(second, 'peakTokens', firstDay + 3)).toEqual([5, 0, 0, 9])
    const late = withDays(second, new Map([[firstDay + 400, observed(1)]]))
    expect(late).toMatchObject({ firstDay: firstDay + 1 })
    expect(late && lastDayOf(late)).toBe(firstDay + 400)
    expect(withDays(second, new Map())).toBe(second)
  })
})

describe('what a deployment can take', () => {
  const payg = { capacity: 'payg' as const, throughput: undefined }
  it('is what the operator says, else what was asked of Azure, else not known', () => {
    const planned = { sku: 'GlobalStandard' as const, capacity: 50 }
    expect(limitsOfDeployment({ backend: payg, setting: { tokensPerMinute: 7 }, planned })).toEqual({
      tokensPerMinute: 7,
    })
    expect(limitsOfDeployment({ backend: payg, setting: undefined, planned })).toEqual({ tokensPerMinute: 50_000 })
    expect(limitsOfDeployment({ backend: payg, setting: undefined, planned: undefined })).toEqual({})
  })

  it('is input tokens where it is provisioned', () => {
    const backend = {
      capacity: 'ptu' as const,
      throughput: { kind: 'units' as const, units: 50, model: 'gpt-4.1' as const },
    }
    expect(limitsOfDeployment({ backend, setting: undefined, planned: undefined })).toEqual({
      inputTokensPerMinute: 150_000,
    })
  })

  it('is forecast as load, which is not forecast for anything else', () => {
    const days = withDays(
      undefined,
      new Map(Array.from({ length: 30 }, (_, i) => [firstDay + i, loaded(100 + i)] as const)),
    )
    if (!days) throw new Error('no days')
    const told = { through: firstDay + 29, generation: 1, alerted: [] }
    expect(makeOutlook(days, { ...told, limits: { inputTokensPerMinute: 140 } }).limits[0]).toMatchObject({ used: 129 })
    expect(makeOutlook(days, { ...told, limits: { tokensPerMinute: 140 } }).forecasts.peakLoad).toBeUndefined()
  })
})

const loaded = (load: number): ObservedDay => ({
  requests: 1,
  tokens: load,
  costMicroUsd: load,
  peakRequests: 1,
  peakTokens: load,
  peakLoad: load,
  turnedAway: 0,
})

describe('headroom', () => {
  const deployment = (more: Partial<SharedDeployment> = {}): SharedDeployment => ({
    backend: { id: 'bke_1', name: 'one', region: 'swedencentral', enabled: true },
    tokensPerMinute: 1_000_000,
    expected: 400_000,
    upper: 500_000,
    ...more,
  })
  const sizes = { standard: [3_000, 3_000, 3_500, 30_000].reduce(withSize, { counts: [] }) }

  it('is what is free of deployments of which it is known, less what is being onboarded, by limits and by use', () => {
    const off = deployment({ backend: { id: 'bke_2', name: 'off', region: 'swedencentral', enabled: false } })
    const found = headroom([deployment(), deployment({ tokensPerMinute: undefined }), off], {
      onboarding: [{ tier: 'standard', tokensPerMinute: 100_000 }],
      tierSizes: sizes,
    })
    expect(found.tokensPerMinute).toBe(600_000)
    expect(found.onboarding).toEqual({ tenants: 1, limitTokensPerMinute: 100_000, likelyTokensPerMinute: 32_768 })
    expect(found.fits).toMatchObject([
      { tier: 'free', byLimit: 25, byUse: undefined },
      { tier: 'standard', byLimit: 5, byUse: Math.floor((600_000 - 32_768) / 32_768) },
      { tier: 'premium', byLimit: 0 },
    ])
  })

  it('is never less than nothing', () => {
    const full = headroom([deployment({ expected: 2_000_000 })], { onboarding: [], tierSizes: {} })
    expect(full.tokensPerMinute).toBe(0)
    expect(full.fits.every(({ byLimit }) => byLimit === 0)).toBe(true)
  })

  it('knows how large tenants of a tier are, within a power of two', () => {
    expect(sizeWithin(sizes.standard, 0.5)).toBe(4_096)
    expect(sizeWithin(sizes.standard, 0.9)).toBe(32_768)
    expect(sizeWithin({ counts: [] }, 0.9)).toBeUndefined()
    expect(withSize(undefined, 0)).toEqual({ counts: [] })
  })

  it('counts tenants that are being onboarded to this model, where they may be served', () => {
    const tenantId = `ten_${'0'.repeat(26)}` as const
    const onboarding = (more: object) => ({
      instanceId: tenantId.replace('ten_', 'onb_'),
      input: {
        tenantId,
        input: {
          needsApproval: true,
          tenant: tenantInput.parse({
            displayName: 'New',
            contact: { email: 'it@new.example' },
            region: 'swedencentral',
            aliases: [{ name: 'chat', model: 'gpt-4.1' }],
            ...more,
          }),
        },
      },
    })
    const wanted = (started: { instanceId: string; input: unknown }, region?: string) =>
      wantedBy([started], { model: 'gpt-4.1', region })
    expect(wanted(onboarding({ limitOverrides: { tokensPerMinute: 7_000 } }))).toEqual([
      { tier: 'standard', tokensPerMinute: 7_000 },
    ])
    expect(wanted(onboarding({ tier: 'free' }), 'westus')).toEqual([{ tier: 'free', tokensPerMinute: 20_000 }])
    expect(wanted(onboarding({ residency: ['swedencentral'] }), 'westus')).toEqual([])
    expect(wanted(onboarding({ aliases: [{ name: 'chat', model: 'gpt-4o' }] }))).toEqual([])
    expect(wanted({ ...onboarding({}), instanceId: 'off_1' })).toEqual([])
    expect(wanted({ instanceId: 'onb_x', input: null })).toEqual([])
  })
})
