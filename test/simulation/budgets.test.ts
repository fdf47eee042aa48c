import type { Budgets } from '../../src/tenants/budget'
import { city, type City, type Office } from './budgets/simulated-city'
import { stormy } from './limits/simulated-store'

const STEP_MS = 250
/** Twelve minutes around a midnight, so that a day begins in the middle of each run. */
const START_MS = Date.UTC(2026, 4, 12, 23, 54)
const NEW_MONTH_MS = Date.UTC(2026, 4, 31, 23, 54)
const RUN_MS = 12 * 60_000
const day = 200_000
const month = 330_000
const budgets: Budgets = { tokensPerDay: { limit: day, stop: true }, tokensPerMonth: { limit: month, stop: true } }

const between = ({ chance }: City, low: number, high: number) => Math.floor(low + chance.fraction() * (high - low))

async function run(
  place: City,
  offices: Office[],
  { usedShare, eachStep }: { usedShare: () => number; eachStep?: () => void },
): Promise<void> {
  const pending: Promise<void>[] = []
  for (let elapsedMs = 0; elapsedMs < RUN_MS; elapsedMs += STEP_MS) {
    eachStep?.()
    for (let calls = between(place, 0, 4); calls > 0; calls--) {
      const office = offices[between(place, 0, offices.length)]
      const tokens = between(place, 50, 1_000)
      const life = { tokens, used: Math.floor(tokens * usedShare()), holdMs: between(place, 50, 6_000) }
      if (office) pending.push(place.call(office, budgets, life))
    }
    await place.clock.advance(STEP_MS)
  }
  await place.clock.advance(30_000)
  await Promise.all(pending)
  const closing = Promise.all(offices.map(({ keeper }) => keeper.close()))
  await place.clock.advance(30_000)
  await closing
}

const spentOf = ({ calls }: City) => calls.reduce((sum, { used, reserved }) => sum + (used ?? reserved), 0)

describe.each([1, 2, 4])('%i instances under more load than the budgets allow', (count) => {
  it.each([1, 2, 3])(
    'let never more through than a day’s or the month’s, and use at least 99 %% of it (seed %i)',
    async (seed) => {
      const place = city(seed, START_MS)
      const offices = Array.from({ length: count }, (_, i) => place.start(count === 1 ? 0 : i * 60 - 120))
      await run(place, offices, { usedShare: () => 0.3 + 0.7 * place.chance.fraction() })
      expect(place.peakOf('day')).toBeLessThanOrEqual(day)
      expect(place.peakOf('month')).toBeLessThanOrEqual(month)
      // What is left at the end is less than the smallest call that was refused.
      expect(spentOf(place)).toBeGreaterThanOrEqual(month * 0.99)
    },
  )
})

it.each([5, 6])(
  'a new month begins with its whole budget, whatever is leased over midnight (seed %i)',
  async (seed) => {
    const place = city(seed, NEW_MONTH_MS)
    const offices = [place.start(-200), place.start(200)]
    await run(place, offices, { usedShare: () => place.chance.fraction() })
    expect(place.peakOf('day')).toBeLessThanOrEqual(day)
    expect(spentOf(place)).toBeGreaterThanOrEqual(2 * day * 0.98)
  },
)

describe('in a storm of lost answers, late writes, crashes and restarts', () => {
  it.each(Array.from({ length: 20 }, (_, i) => 11 + i))(
    'no day and no month holds more than its budget (seed %i)',
    async (seed) => {
      const place = city(seed, START_MS)
      place.weather = stormy
      const skewMs = () => between(place, -250, 250)
      const offices = Array.from({ length: between(place, 1, 5) }, () => place.start(skewMs()))
      await run(place, offices, {
        usedShare: () => place.chance.fraction(),
        eachStep: () => {
          if (place.chance.fraction() > 0.005) return
          const victim = between(place, 0, offices.length)
          offices[victim]?.crash()
          offices[victim] = place.start(skewMs())
        },
      })
      expect(place.calls.length).toBeGreaterThan(300)
      expect(place.peakOf('day')).toBeLessThanOrEqual(day)
      expect(place.peakOf('month')).toBeLessThanOrEqual(month)
    },
  )
})
