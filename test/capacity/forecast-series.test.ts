import fc from 'fast-check'
import { forecastSeries, HISTORY_DAYS_MIN, IDLE_DAYS, type Forecast } from '../../src/capacity/forecast/forecast-series'
import { quantile } from '../../src/capacity/forecast/order-statistics'
import { AHEAD_DAYS, makeSeries, seasonalTrendKinds, seriesKinds, type MadeSeries } from './made-series'

const HORIZON = 90

function forecastOf(series: readonly (number | undefined)[]): Forecast {
  const forecast = forecastSeries(series, HORIZON)
  if (forecast.kind !== 'forecast') throw new Error(`no forecast: ${forecast.kind}`)
  return forecast
}

const days = (count: number, of: (day: number) => number | undefined) =>
  Array.from({ length: count }, (_, day) => of(day))

const amount = fc.oneof(
  { weight: 8, arbitrary: fc.nat(1_000_000) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -5, Number.MAX_SAFE_INTEGER, 1e-9) },
)

describe('a forecast', () => {
  it('is never negative, never infinite, and lies in its interval, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(amount, { minLength: HISTORY_DAYS_MIN, maxLength: 120 }), (series) => {
        const forecast = forecastSeries(series, HORIZON)
        if (forecast.kind !== 'forecast') return
        expect(forecast.expected).toHaveLength(HORIZON)
        forecast.expected.forEach((expected, i) => {
          const [lower = NaN, upper = NaN] = [forecast.lower[i], forecast.upper[i]]
          expect(Number.isFinite(upper)).toBe(true)
          expect(lower).toBeGreaterThanOrEqual(0)
          expect(expected).toBeGreaterThanOrEqual(lower)
          expect(expected).toBeLessThanOrEqual(upper)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('does not depend on the unit that is counted in', () => {
    const { seen } = makeSeries('linear growth', 3)
    const small = forecastOf(seen)
    const large = forecastOf(seen.map((value) => value && value * 1_000))
    small.expected.forEach((value, i) => expect((large.expected[i] ?? 0) / (value * 1_000)).toBeCloseTo(1, 6))
  })

  it('goes on with the weekdays where the series ends', () => {
    const forecast = forecastOf(days(73, (day) => (day % 7 >= 5 ? 100 : 1_000)))
    expect(forecast.expected.slice(0, 14).map((value) => (value < 500 ? 'quiet' : 'busy'))).toEqual(
      days(14, (i) => i).map((i = 0) => ((73 + i) % 7 >= 5 ? 'quiet' : 'busy')),
    )
  })

  it('is of the same use with nothing in front of it, and with years of nothing', () => {
    const { seen } = makeSeries('flat', 5)
    expect(forecastOf([...days(300, () => 0), ...seen])).toEqual(forecastOf(seen))
    expect(forecastOf([...days(40, () => undefined), ...seen])).toEqual(forecastOf(seen))
  })

  it('is not moved by a day that is a hundred times the others', () => {
    const { seen } = makeSeries('linear growth', 11)
    const usual = forecastOf(seen)
    const odd = forecastOf(seen.map((value, day) => (day === seen.length - 9 ? (value ?? 0) * 100 : value)))
    const [a = 0, b = 0] = [usual.expected[29], odd.expected[29]]
    expect(Math.abs(b / a - 1)).toBeLessThan(0.1)
  })

  it('goes on from a level that was reached all at once, not from the mean of before and after', () => {
    const noise = makeSeries('flat', 17).seen.map((value) => (value ?? 1) / (makeSeries('flat', 17).truth[0] ?? 1))
    const forecast = forecastOf(days(120, (day) => Math.round(1_000 * (noise[day] ?? 1) * (day >= 98 ? 3 : 1))))
    const before = forecastOf(days(98, (day) => Math.round(1_000 * (noise[day] ?? 1))))
    expect(forecast.daysSinceShift).toBe(22)
    expect(sum(forecast.expected.slice(0, 28)) / sum(before.expected.slice(0, 28))).toBeGreaterThan(2.7)
    expect(sum(forecast.expected.slice(0, 28)) / sum(before.expected.slice(0, 28))).toBeLessThan(3.3)
  })

  it('of use on one day in three is what such days add up to', () => {
    const forecast = forecastOf(days(90, (day) => (day % 10 < 3 ? 900 : 0)))
    expect(forecast.method).toBe('irregular')
    expect(sum(forecast.expected.slice(0, 30)) / 30).toBeCloseTo(270, -2)
    expect(forecast.lower[0]).toBe(0)
  })

  it('has a wider interval the further it looks, and the less is known', () => {
    const { seen } = makeSeries('linear growth', 21)
    const width = ({ lower, upper, expected }: Forecast, i: number) =>
      ((upper[i] ?? 0) - (lower[i] ?? 0)) / (expected[i] ?? 1)
    const long = forecastOf(seen)
    expect(width(long, 83)).toBeGreaterThan(width(long, 6))
    expect(width(forecastOf(seen.slice(-HISTORY_DAYS_MIN)), 29)).toBeGreaterThan(width(long, 29))
  })
})

describe('without enough to go by', () => {
  it('nothing is forecast, and it is said how much is missing', () => {
    expect(forecastSeries([], HORIZON)).toEqual({
      kind: 'not-enough-history',
      daysKnown: 0,
      daysNeeded: HISTORY_DAYS_MIN,
    })
    const few = [...days(50, () => 0), ...days(9, () => 100)]
    expect(forecastSeries(few, HORIZON)).toEqual({
      kind: 'not-enough-history',
      daysKnown: 9,
      daysNeeded: HISTORY_DAYS_MIN,
    })
    const gaps = days(20, (day) => (day % 2 === 0 ? 100 : undefined))
    expect(forecastSeries(gaps, HORIZON)).toMatchObject({ kind: 'not-enough-history', daysKnown: 10 })
    expect(
      forecastSeries(
        days(HISTORY_DAYS_MIN, () => 100),
        HORIZON,
      ).kind,
    ).toBe('forecast')
  })

  it('use that has ended is called idle, and days that are not known are not taken for it', () => {
    const used = days(60, () => 1_000)
    expect(forecastSeries([...used, ...days(IDLE_DAYS, () => 0)], HORIZON)).toEqual({
      kind: 'idle',
      daysIdle: IDLE_DAYS,
    })
    expect(forecastSeries([...used, ...days(IDLE_DAYS, () => undefined)], HORIZON).kind).toBe('forecast')
  })
})

describe('back-test', () => {
  const SERIES = 6
  const made = seriesKinds.flatMap((kind) => days(SERIES, (i) => i).map((i = 0) => makeSeries(kind, 40_000 + i)))
  const judged = made.map((series) => ({ series, forecast: forecastOf(series.seen) }))

  it('errs by at most 15 % a month ahead in the median where there is season and trend, and by less than last week would', () => {
    const seasonal = judged.filter(({ series }) => seasonalTrendKinds.includes(series.kind))
    const errors = seasonal.flatMap(({ series, forecast }) => errorsAt30(series, forecast.expected))
    const naive = seasonal.flatMap(({ series }) => errorsAt30(series, lastWeekAgain(series)))
    expect(quantile(errors, 0.5)).toBeLessThan(0.15)
    expect(quantile(errors, 0.5)).toBeLessThan(0.8 * quantile(naive, 0.5))
  })

  it('holds four of five days that come in its interval', () => {
    const inside = judged.flatMap(({ series, forecast: { lower, upper } }) =>
      series.came.slice(0, 30).map((came, i) => came >= (lower[i] ?? 0) && came <= (upper[i] ?? 0)),
    )
    const share = inside.filter(Boolean).length / inside.length
    expect(share).toBeGreaterThan(0.74)
    expect(share).toBeLessThan(0.92)
  })
})

const errorsAt30 = ({ came }: MadeSeries, expected: readonly number[]): number[] =>
  came.slice(23, 30).map((value, i) => Math.abs((expected[23 + i] ?? 0) - value) / Math.max(1, value))

const lastWeekAgain = ({ seen }: MadeSeries): number[] =>
  Array.from({ length: AHEAD_DAYS }, (_, i) => seen[seen.length - 7 + (i % 7)] ?? 0)

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
