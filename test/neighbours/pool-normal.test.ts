import { emptyFigures } from '../../src/neighbours/minute-figures'
import { learnHour, newPoolNormal, usualLoad, type PoolNormal } from '../../src/neighbours/pool-normal'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const WEEK_HOURS = 168

/** What `tokensAt` says of each minute, hour by hour. */
function learned(hours: number, tokensAt: (minute: number) => number): PoolNormal {
  const normal = newPoolNormal(0)
  for (let hour = 0; hour < hours; hour++) {
    const minutes = Array.from({ length: 60 }, (_, i) => {
      const figures = emptyFigures({ startMs: hour * HOUR_MS + i * MINUTE_MS, backendId: 'bke_one' })
      figures.tokens = tokensAt(hour * 60 + i)
      return figures
    })
    learnHour(normal, { hourStartMs: hour * HOUR_MS, minutes, wasNoisy: false })
  }
  return normal
}

describe('a surge', () => {
  it('is not excused by the hour before it, in which the load had begun to grow', () => {
    const growing = WEEK_HOURS + 10
    const normal = learned(growing + 1, (minute) => (minute < growing * 60 ? 10_000 : 10_000 + 3_000 * (minute % 60)))
    expect(usualLoad(normal, (growing + 1) * HOUR_MS + 5 * MINUTE_MS).most).toBeLessThan(60_000)
  })

  it('is excused near the turn of an hour by what always runs in the next or the last one', () => {
    const normal = learned(WEEK_HOURS, (minute) => (Math.floor(minute / 60) % 24 === 10 ? 200_000 : 10_000))
    const at = (hour: number, minute: number) =>
      usualLoad(normal, (WEEK_HOURS + hour) * HOUR_MS + minute * MINUTE_MS).most
    expect([at(9, 50), at(11, 5)].every((most) => most > 200_000)).toBe(true)
    expect(at(9, 30)).toBeLessThan(60_000)
  })

  it('of a tenant with a call now and then is neither its next call nor beyond finding', () => {
    const normal = learned(WEEK_HOURS, (minute) => (minute % 1_440 < 600 && minute % 240 < 3 ? 3_000 : 0))
    const { most } = usualLoad(normal, WEEK_HOURS * HOUR_MS + 14 * HOUR_MS)
    expect(most).toBeGreaterThan(2_500)
    expect(most).toBeLessThan(50_000)
  })

  it('in the minutes that an hourly job leaves free is told by the hour of the day, not by the size of the job', () => {
    const isBusy = (minute: number) => Math.floor(minute / 60) % 24 >= 13 && Math.floor(minute / 60) % 24 < 16
    const isJob = (minute: number) => minute % 60 >= 49 && minute % 60 < 57
    const normal = learned(WEEK_HOURS, (minute) => (isJob(minute) ? 500_000 : isBusy(minute) ? 100_000 : 20_000))
    const at = (hour: number, minute: number) =>
      usualLoad(normal, (WEEK_HOURS + hour) * HOUR_MS + minute * MINUTE_MS).most
    expect(at(14, 36)).toBeGreaterThan(140_000)
    expect(at(14, 36)).toBeLessThan(300_000)
    expect(at(3, 36)).toBeLessThan(60_000)
    expect(at(3, 52)).toBeGreaterThan(500_000)
  })
})

describe('what is typical of a tenant', () => {
  it('is what its minutes are as a rule, without a job of some of them', () => {
    const normal = learned(WEEK_HOURS, (minute) => (minute % 1_440 >= 213 && minute % 1_440 < 233 ? 110_000 : 10_000))
    const { typical, usual } = usualLoad(normal, WEEK_HOURS * HOUR_MS + 220 * MINUTE_MS)
    expect(typical).toBeGreaterThan(9_000)
    expect(typical).toBeLessThan(11_000)
    expect(usual).toBeGreaterThan(90_000)
  })
})
