import fc from 'fast-check'
import { burstSteps, evenMinutes, PROFILE_HOURS, type ObservedHours } from '../../src/capacity/observed-hours'
import { advise } from '../../src/capacity/provisioned/advise'
import {
  breakEvenOf,
  commitments,
  MONTH_HOURS,
  payAsYouGoOf,
  sizeUnits,
  sizingAt,
  type LoadProfile,
} from '../../src/capacity/provisioned/size-units'
import { offerOf, provisionedTerms, type Offer } from '../../src/capacity/provisioned/terms'

const offer: Offer = {
  throughput: { inputTokensPerMinute: 3_400, outputWeight: 8 },
  unitsMin: 15,
  unitsStep: 5,
  price: { hourMicroUsd: 1_000_000, monthMicroUsd: 260_000_000, yearMicroUsd: 2_652_000_000 },
  source: 'assumed',
}
/** 1.75 USD for a million input tokens, and eight times that for output: the load is what costs. */
const MICRO_USD_PER_TOKEN = 1.75

const steady = (perMinute: number, hours = 168): LoadProfile => ({
  load: Array.from({ length: hours }, () => perMinute * 60),
  costMicroUsd: Array.from({ length: hours }, () => perMinute * 60 * MICRO_USD_PER_TOKEN),
  bursts: evenMinutes,
})

const profiles = fc
  .record({
    load: fc.array(fc.nat(60_000_000), { minLength: 1, maxLength: 48 }),
    bursts: fc.array(fc.nat(100), { minLength: burstSteps.length, maxLength: burstSteps.length }),
    price: fc.double({ min: 0.01, max: 20, noNaN: true }),
  })
  .map(({ load, bursts, price }): LoadProfile => {
    const all = bursts.reduce((sum, share) => sum + share, 0)
    return {
      load,
      costMicroUsd: load.map((hour) => hour * price),
      bursts: all === 0 ? evenMinutes : bursts.map((share) => share / all),
    }
  })

describe('units of provisioned throughput', () => {
  it('take a thousand calls a minute of 200 + 20 tokens to gpt-5.2 with 110 of them, as Azure’s own example has it', () => {
    const example = steady(1_000 * (200 + 8 * 20))
    expect(sizingAt(example, offer, { units: 110, commitment: 'hourly' })).toMatchObject({
      servedShare: 1,
      spilloverMicroUsd: 0,
    })
    expect(sizingAt(example, offer, { units: 105, commitment: 'hourly' }).servedShare).toBeLessThan(1)
    expect(offerOf('gpt-5.2', 'global', undefined)).toMatchObject({ ...offer, source: 'assumed' })
  })

  it('are as many as cost least of all that there may be, whatever the hours', () => {
    fc.assert(
      fc.property(profiles, fc.constantFrom(...commitments), (profile, commitment) => {
        const found = sizeUnits(profile, offer, commitment)
        const all = [0, ...Array.from({ length: 400 }, (_, i) => offer.unitsMin + i * offer.unitsStep)]
        const least = Math.min(...all.map((units) => sizingAt(profile, offer, { units, commitment }).totalMicroUsd))
        expect(found.totalMicroUsd).toBeLessThanOrEqual(least)
        expect(found.units === 0 || (found.units >= 15 && (found.units - 15) % 5 === 0)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('never cost more together with their spillover than pay-as-you-go alone', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        for (const commitment of commitments)
          expect(sizeUnits(profile, offer, commitment).totalMicroUsd).toBeLessThanOrEqual(payAsYouGoOf(profile))
      }),
      { numRuns: 60 },
    )
  })

  it('cost as much as pay-as-you-go at the share of their use that is called break-even', () => {
    for (const commitment of commitments) {
      const share = breakEvenOf(steady(10_000), offer, commitment) ?? NaN
      const units = 100
      const used = steady(units * offer.throughput.inputTokensPerMinute * share)
      const { unitsMicroUsd } = sizingAt(used, offer, { units, commitment })
      expect(unitsMicroUsd / payAsYouGoOf(used)).toBeCloseTo(1, 6)
    }
  })

  it('are fewer where the same load comes in bursts, and what does not fit is paid by the token', () => {
    const even = steady(500_000)
    const bursts = burstSteps.map((step) => (step === 0 ? 0.8 : step === 3 ? 0.2 : 0))
    const uneven = { ...even, bursts }
    const at = (profile: LoadProfile) => sizingAt(profile, offer, { units: 150, commitment: 'month' })
    expect(at(even).servedShare).toBe(1)
    expect(at(uneven).servedShare).toBeLessThan(0.5)
    expect(at(uneven).spilloverMicroUsd).toBeCloseTo(payAsYouGoOf(uneven) * (1 - at(uneven).servedShare), -2)
  })

  it('do not pay by the hour where a year’s reservation does', () => {
    const hours = Array.from({ length: 168 }, (_, hour) => (hour % 24 < 22 ? 340_000 * 60 : 0))
    const shift = { load: hours, costMicroUsd: hours.map((hour) => hour * 1.75), bursts: evenMinutes }
    expect(sizeUnits(shift, offer, 'hourly').units).toBe(0)
    expect(sizeUnits(shift, offer, 'year').units).toBe(100)
    expect(sizeUnits(shift, offer, 'year').usedShare).toBeCloseTo(22 / 24, 2)
  })
})

const hoursOf = (more: Partial<ObservedHours> = {}): ObservedHours => ({
  firstHour: 500_000,
  model: 'gpt-5.2',
  inputTokens: Array.from({ length: PROFILE_HOURS }, () => 60 * 200_000),
  outputTokens: Array.from({ length: PROFILE_HOURS }, () => 60 * 20_000),
  costMicroUsd: Array.from({ length: PROFILE_HOURS }, () => 60 * 630_000),
  bursts: evenMinutes,
  ...more,
})
const poolOf = (...hours: ObservedHours[]) => ({
  model: hours[0]?.model ?? '',
  region: 'swedencentral',
  units: 0,
  growth: 1.5,
  hours,
})

describe('advice', () => {
  it('adds deployments up hour by hour, and counts from the first hour with use on', () => {
    const late = Array.from({ length: PROFILE_HOURS }, (_, i) => (i < PROFILE_HOURS / 2 ? 0 : 60 * 200_000))
    const half = hoursOf({
      inputTokens: late,
      outputTokens: late.map(() => 0),
      costMicroUsd: late.map((tokens) => tokens * 1.75),
    })
    const alone = advise(poolOf(half), { reach: 'global', terms: undefined })
    const two = advise(poolOf(half, half), { reach: 'global', terms: undefined })
    if (alone.kind !== 'sized' || two.kind !== 'sized') throw new Error('not sized')
    expect(alone.payAsYouGoMicroUsd).toBe(200_000 * 1.75 * 60 * MONTH_HOURS)
    expect(two.payAsYouGoMicroUsd).toBe(2 * alone.payAsYouGoMicroUsd)
    // 118 would hold all of it; three of them cost more than what they would save.
    expect(two.now[2]?.units).toBe(115)
    expect(two.ahead[2]?.units).toBeGreaterThan(170)
  })

  it('takes an operator’s prices and units in place of what is assumed', () => {
    const terms = provisionedTerms.parse({
      asOf: '2026-11-01',
      source: 'our agreement',
      prices: { global: { hourMicroUsd: 1, monthMicroUsd: 1, yearMicroUsd: 1 } },
      models: { 'own-model': { inputTokensPerMinute: 1_000, outputWeight: 2, global: { unitsMin: 7, unitsStep: 7 } } },
    })
    const advice = advise(poolOf(hoursOf({ model: 'own-model' })), { reach: 'global', terms })
    expect(advice).toMatchObject({ kind: 'sized', offer: { unitsMin: 7, source: 'operator' } })
    // 240,000 input tokens a minute, an output token weighing two.
    if (advice.kind === 'sized') expect(advice.now[0]?.units).toBe(7 * 35)
  })

  it('says what is missing where it has nothing to go by', () => {
    const without = { reach: 'global', terms: undefined } as const
    const nothing = Array.from({ length: PROFILE_HOURS }, () => 0)
    expect(advise(poolOf(hoursOf({ model: 'no-such-model' })), without)).toEqual({ kind: 'unknown-model' })
    expect(advise(poolOf(hoursOf({ costMicroUsd: nothing })), without)).toEqual({ kind: 'unpriced' })
    expect(advise(poolOf(hoursOf({ inputTokens: nothing, outputTokens: nothing })), without)).toEqual({
      kind: 'unused',
    })
  })
})
