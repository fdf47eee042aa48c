import fc from 'fast-check'
import {
  aboveBy,
  HOURS_A_WEEK,
  SeasonalNormal,
  stepsOf,
  usualOf,
  WEEKS_KEPT,
} from '../../src/neighbours/seasonal-normal'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS

/** What `valueAt` says of every hour before `hours`. */
function learned(hours: number, valueAt: (hour: number) => number): SeasonalNormal {
  const normal = new SeasonalNormal()
  for (let hour = 0; hour < hours; hour++) normal.learn(hour * HOUR_MS, valueAt(hour))
  return normal
}

const office = (hour: number) => (hour % 24 >= 8 && hour % 24 < 18 ? 50_000 : 2_000)

describe('what is usual', () => {
  it('is told apart by the hour of the week once there are weeks of it', () => {
    const backup = (hour: number) => (hour % HOURS_A_WEEK === 75 ? 900_000 : office(hour))
    const normal = learned(4 * HOURS_A_WEEK, backup)
    expect(usualOf(normal.at(4 * WEEK_MS + 75 * HOUR_MS))).toBeGreaterThan(400_000)
    expect(usualOf(normal.at(4 * WEEK_MS + 99 * HOUR_MS))).toBeLessThan(5_000)
  })

  it('of an hour that was never seen is that of the same hour of other days', () => {
    const normal = learned(48, office)
    expect(usualOf(normal.at(2 * DAY_MS + 12 * HOUR_MS))).toBeGreaterThan(10_000)
    expect(usualOf(normal.at(2 * DAY_MS + 3 * HOUR_MS))).toBeLessThan(4_000)
  })

  it('does not change because one week went wrong', () => {
    const calm = learned(4 * HOURS_A_WEEK, office)
    const upset = learned(
      4 * HOURS_A_WEEK,
      (hour) => office(hour) * (hour >= 2 * HOURS_A_WEEK && hour < 3 * HOURS_A_WEEK ? 20 : 1),
    )
    const noon = 4 * WEEK_MS + 12 * HOUR_MS
    expect(usualOf(upset.at(noon)) / usualOf(calm.at(noon))).toBeLessThan(1.2)
  })

  it('is as wide as hours differ, and wider the fewer were seen', () => {
    const noise = (hour: number) => 10_000 * Math.exp(0.4 * Math.sin(hour * 12.9898) * 2)
    const few = learned(12, () => 10_000)
    const many = learned(4 * HOURS_A_WEEK, noise)
    const quiet = learned(4 * HOURS_A_WEEK, () => 10_000)
    const noon = 12 * HOUR_MS
    expect(few.at(noon).scale).toBeGreaterThan(quiet.at(noon).scale)
    expect(many.at(noon).scale).toBeGreaterThan(quiet.at(noon).scale)
  })

  it('counts the most of the same hour a day or a week ago, so that a job that was seen once is known', () => {
    const job = (hour: number) => (hour === 30 ? 400_000 : 2_000)
    expect(learned(31, job).at(DAY_MS + 30 * HOUR_MS).seenMax).toBeGreaterThan(390_000)
    expect(learned(HOURS_A_WEEK, job).at(WEEK_MS + 30 * HOUR_MS).seenMax).toBeGreaterThan(390_000)
    expect(learned(HOURS_A_WEEK, job).at(WEEK_MS + 78 * HOUR_MS).seenMax).toBeLessThan(3_000)
  })

  it('tells a job of one day in the week from what is usual of its hour on other days', () => {
    const job = (hour: number) => (hour % HOURS_A_WEEK === 30 ? 400_000 : 2_000)
    const { center, centerOfKind } = learned(5 * HOURS_A_WEEK, job).at(30 * HOUR_MS)
    expect(Math.expm1(center)).toBeGreaterThan(100_000)
    expect(Math.expm1(centerOfKind)).toBeLessThan(2_100)
  })

  it('may be asked for as if some hours had been others, without being learned anew', () => {
    const backup = (hour: number) => (hour % 24 === 3 ? 900_000 : 2_000)
    const normal = learned(3 * HOURS_A_WEEK, backup)
    const calm = normal.at(3 * HOUR_MS, { inPlaceOf: () => stepsOf(2_000) })
    expect([usualOf(calm), calm.seenMax].every((tokens) => tokens < 2_100)).toBe(true)
    // The newest week alone.
    expect(usualOf(normal.at(3 * HOUR_MS, { inPlaceOf: (_, ago) => (ago === 0 ? 0 : undefined) }))).toBeGreaterThan(8e5)
    expect(usualOf(normal.at(3 * HOUR_MS))).toBeGreaterThan(8e5)
  })

  it('knows nothing of a tenant that was never seen', () => {
    expect(new SeasonalNormal().at(0)).toMatchObject({ hours: 0, seenMax: 0 })
  })

  it('is the same after it was stored, to a percent, and keeps so many weeks only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 400 }),
        (values) => {
          const normal = learned(values.length, (hour) => values[hour] ?? 0)
          const again = new SeasonalNormal(JSON.parse(JSON.stringify(normal.encode())) as number[][])
          const timeMs = values.length * HOUR_MS
          expect(again.at(timeMs)).toEqual(normal.at(timeMs))
          expect(aboveBy(normal.at(timeMs), 3)).toBeGreaterThanOrEqual(usualOf(normal.at(timeMs)))
        },
      ),
      { numRuns: 30 },
    )
    expect(
      Math.max(
        ...learned(9 * HOURS_A_WEEK, office)
          .encode()
          .map(({ length }) => length),
      ),
    ).toBe(WEEKS_KEPT)
  })
})
