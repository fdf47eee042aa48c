import fc from 'fast-check'
import { emptyFigures } from '../../src/neighbours/minute-figures'
import {
  decodePoolNormal,
  encodePoolNormal,
  learnHour,
  newPoolNormal,
  usualLoad,
  type PoolNormal,
  type StoredPoolNormal,
} from '../../src/neighbours/pool-normal'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const WEEK_HOURS = 168
const DAY_MINUTES = 1_440

/** What `tokensAt` says of each minute, hour by hour. */
function learned(hours: number, tokensAt: (minute: number) => number): PoolNormal {
  const normal = newPoolNormal(0)
  teach(normal, { fromHour: 0, toHour: hours, tokensAt })
  return normal
}

function teach(
  normal: PoolNormal,
  { fromHour, toHour, tokensAt }: { fromHour: number; toHour: number; tokensAt: (minute: number) => number },
): void {
  for (let hour = fromHour; hour < toHour; hour++) {
    const minutes = Array.from({ length: 60 }, (_, i) => {
      const figures = emptyFigures({ startMs: hour * HOUR_MS + i * MINUTE_MS, backendId: 'bke_one' })
      figures.tokens = tokensAt(hour * 60 + i)
      return figures
    })
    learnHour(normal, { hourStartMs: hour * HOUR_MS, minutes, wasNoisy: false })
  }
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

/** A job of 51 minutes, over at five minutes past an hour, and what else the tenant does. */
const daily = (minute: number) => (minute % DAY_MINUTES >= 674 && minute % DAY_MINUTES < 725 ? 120_000 : 20_000)
const minuteOf = (hour: number, minute: number) => WEEK_HOURS * HOUR_MS + hour * HOUR_MS + minute * MINUTE_MS
const mostAt = (normal: PoolNormal, hour: number, minute: number) => usualLoad(normal, minuteOf(hour, minute)).most

describe('a job that does not run each hour', () => {
  it('excuses no surge in the parts of its hours that it leaves free, but for a quarter of an hour before and after', () => {
    const normal = learned(WEEK_HOURS, daily)
    expect(
      [mostAt(normal, 10, 40), mostAt(normal, 12, 25), mostAt(normal, 12, 55)].every((most) => most < 60_000),
    ).toBe(true)
    expect(
      [mostAt(normal, 11, 0), mostAt(normal, 11, 40), mostAt(normal, 12, 0), mostAt(normal, 12, 20)].every(
        (most) => most > 150_000,
      ),
    ).toBe(true)
  })

  it('excuses the same hour of other days as far, since it may come again at another one', () => {
    const normal = learned(WEEK_HOURS, (minute) => (Math.floor(minute / DAY_MINUTES) === 6 ? daily(minute) : 20_000))
    expect(mostAt(normal, 11, 40)).toBeGreaterThan(150_000)
    expect(mostAt(normal, 12, 55)).toBeLessThan(60_000)
  })

  it('is not learned of an hour in which a tenant was in others’ way: what grew then was no work', () => {
    const normal = learned(WEEK_HOURS, daily)
    const minutes = Array.from({ length: 60 }, (_, i) => {
      const figures = emptyFigures({ startMs: WEEK_HOURS * HOUR_MS + i * MINUTE_MS, backendId: 'bke_one' })
      figures.tokens = 20_000 + i * 15_000
      return figures
    })
    learnHour(normal, { hourStartMs: WEEK_HOURS * HOUR_MS, minutes, wasNoisy: true })
    expect(mostAt(normal, 24, 5)).toBeLessThan(60_000)
  })

  it('that was seen once may come again as large as chance makes it; a load that chance explains excuses no larger one', () => {
    const once = (times: number) =>
      learned(WEEK_HOURS, (minute) => (Math.floor(minute / 60) === 10 ? times * 20_000 : 20_000))
    expect(mostAt(once(5), 10, 30)).toBeGreaterThan(1.7 * 100_000)
    expect(mostAt(once(1.5), 10, 30)).toBeLessThan(1.7 * 30_000)
  })

  it('in a row that does not know the parts yet counts for its whole hours, and is learned from then on', () => {
    const { jobs: _jobs, ...older } = encodePoolNormal(learned(WEEK_HOURS, daily))
    const normal = decodePoolNormal(JSON.parse(JSON.stringify(older)) as StoredPoolNormal)
    expect(mostAt(normal, 12, 55)).toBeGreaterThan(150_000)
    teach(normal, { fromHour: WEEK_HOURS, toHour: 6 * WEEK_HOURS, tokensAt: daily })
    expect(mostAt(normal, 5 * WEEK_HOURS + 12, 55)).toBeLessThan(60_000)
  })

  it('makes nothing usual that its whole hours would not, the same in all minutes of a part, and as it is stored', () => {
    const job = fc.record({
      at: fc.integer({ min: 0, max: DAY_MINUTES - 1 }),
      minutes: fc.integer({ min: 3, max: 90 }),
      everyDays: fc.constantFrom(1, 7),
      tokens: fc.integer({ min: 1_000, max: 2_000_000 }),
    })
    fc.assert(
      fc.property(fc.array(job, { maxLength: 3 }), fc.integer({ min: 0, max: 5 * DAY_MINUTES }), (jobs, from) => {
        const normal = learned(WEEK_HOURS, (minute) =>
          jobs.reduce((sum, { at, minutes, everyDays, tokens }) => {
            const since = (minute + 7 * DAY_MINUTES - at) % (everyDays * DAY_MINUTES)
            return sum + (since < minutes ? tokens : 0)
          }, 10_000),
        )
        const stored = JSON.parse(JSON.stringify(encodePoolNormal(normal))) as StoredPoolNormal
        const { jobs: _jobs, ...whole } = stored
        const [again, inWhole] = [decodePoolNormal(stored), decodePoolNormal(whole)]
        const partMs = WEEK_HOURS * HOUR_MS + Math.floor(from / 5) * 5 * MINUTE_MS
        const inPart = Array.from({ length: 5 }, (_, i) => usualLoad(normal, partMs + i * MINUTE_MS))
        for (const each of inPart) expect(each).toEqual(usualLoad(again, partMs))
        expect(inPart[0]?.usual).toBeLessThanOrEqual(usualLoad(inWhole, partMs).usual)
      }),
      { numRuns: 50 },
    )
  })

  it('takes a bounded room in a row, however uneven the hours are', () => {
    const uneven = learned(7 * WEEK_HOURS, (minute) => (minute % 60 < 30 ? 9e8 + minute : 1e8 - minute))
    const { jobs, ...rest } = encodePoolNormal(uneven)
    expect(JSON.stringify(jobs).length).toBeLessThan(10_000)
    expect(JSON.stringify(rest).length).toBeLessThan(20_000)
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
