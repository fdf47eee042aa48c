import fc from 'fast-check'
import { ExpectedAhead, expectedAt } from '../../src/neighbours/expected'
import { emptyFigures } from '../../src/neighbours/minute-figures'
import { learnHour, newPoolNormal } from '../../src/neighbours/pool-normal'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** A hundred hours of a tenant with a job in each hour and one each day. */
function learned(jobFrom: number, jobMinutes: number) {
  const normal = newPoolNormal(0)
  for (let hour = 0; hour < 100; hour++) {
    const minutes = Array.from({ length: 60 }, (_, minute) => {
      const figures = emptyFigures({ startMs: hour * HOUR_MS + minute * MINUTE_MS, backendId: 'bke_one' })
      const isJob = (minute >= jobFrom && minute < jobFrom + jobMinutes) || (hour % 24 === 10 && minute < 40)
      figures.tokens = (isJob ? 200_000 : 10_000) + 100 * hour
      figures.calls = 10
      figures.latency.add(500 + 10 * (hour % 24), 10)
      return figures
    })
    learnHour(normal, { hourStartMs: hour * HOUR_MS, minutes, wasNoisy: false })
  }
  return normal
}

describe('what is expected in the next two hours', () => {
  it('is at every time of them what the normal says of it', () => {
    const anyJob = fc.record({ from: fc.integer({ min: 0, max: 50 }), minutes: fc.integer({ min: 0, max: 12 }) })
    const anyTimes = fc.array(fc.nat(2 * HOUR_MS - 1), { minLength: 50, maxLength: 50 })
    fc.assert(
      fc.property(anyJob, fc.integer({ min: 100, max: 130 }), fc.nat(59), anyTimes, (job, hour, minute, times) => {
        const normal = learned(job.from, job.minutes)
        const ahead = new ExpectedAhead(normal, hour * HOUR_MS + minute * MINUTE_MS)
        for (const ms of times) expect(ahead.at(hour * HOUR_MS + ms)).toEqual(expectedAt(normal, hour * HOUR_MS + ms))
        expect([ahead.at(hour * HOUR_MS - 1), ahead.at((hour + 2) * HOUR_MS)]).toEqual([undefined, undefined])
      }),
      { numRuns: 20 },
    )
  })
})
