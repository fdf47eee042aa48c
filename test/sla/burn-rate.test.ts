import { burningBy, burnMinOf, burnRate, burnRules, spentShare, type CountedIn } from '../../src/sla/burn-rate'
import type { Tally } from '../../src/sla/tally'

const [fast, slow] = burnRules
/** Windows by their minutes; one that is not named is empty. */
const windows =
  (tallies: Readonly<Record<number, Tally>>): CountedIn =>
  (minutes) =>
    tallies[minutes] ?? { good: 0, bad: 0 }

describe('a burn rate', () => {
  // By hand: of 99.9 % one call in 1,000 may be bad, so one in 100 is ten times that.
  it.each([
    [{ good: 990, bad: 10 }, 0.999, 10],
    [{ good: 999, bad: 1 }, 0.999, 1],
    [{ good: 0, bad: 7 }, 0.999, 1_000],
    [{ good: 0, bad: 7 }, 0.95, 20],
    [{ good: 95, bad: 5 }, 0.95, 1],
    [{ good: 3, bad: 1 }, 0.5, 0.5],
    [{ good: 12, bad: 0 }, 0.999, 0],
    [{ good: 0, bad: 0 }, 0.999, 0],
  ])('of %j with an objective of %d is %d', (tally, goodShare, rate) => {
    expect(burnRate(tally, goodShare)).toBeCloseTo(rate, 9)
  })

  it('of a month is the share of its budget that is spent', () => {
    // 43.2 minutes of 30 days at an even pace is the whole budget of 99.9 %.
    expect(spentShare({ good: 43_200 - 43.2, bad: 43.2 }, 0.999)).toBeCloseTo(1, 9)
    expect(spentShare({ good: 43_200 - 21.6, bad: 21.6 }, 0.999)).toBeCloseTo(0.5, 9)
  })

  it('that opens an incident spends 2 % of a 30-day budget in an hour, or 5 % in six', () => {
    const monthMinutes = 30 * 24 * 60
    expect((fast.burnMin * fast.longMinutes) / monthMinutes).toBeCloseTo(0.02, 9)
    expect((slow.burnMin * slow.longMinutes) / monthMinutes).toBeCloseTo(0.05, 9)
    // The short windows are a twelfth of the long ones.
    expect([fast.longMinutes / fast.shortMinutes, slow.longMinutes / slow.shortMinutes]).toEqual([12, 12])
  })
})

describe('a rule', () => {
  it('burns where both of its windows do, and says how fast', () => {
    const counted = windows({ 5: { good: 80, bad: 20 }, 60: { good: 1_176, bad: 24 } })
    // 24 of 1,200 is 2 %, 20 of 100 is 20 %.
    expect(burningBy(counted, 0.999)).toEqual({
      rule: fast,
      longBurn: expect.closeTo(20, 9),
      shortBurn: expect.closeTo(200, 9),
    })
  })

  it('does not burn for what is over: its short window is good again', () => {
    const counted = windows({ 5: { good: 100, bad: 0 }, 30: { good: 500, bad: 100 }, 60: { good: 800, bad: 400 } })
    expect(burningBy(counted, 0.999)).toBeUndefined()
  })

  it('does not burn for a blip: its long window is good still', () => {
    const counted = windows({ 5: { good: 95, bad: 5 }, 30: { good: 595, bad: 5 }, 60: { good: 1_195, bad: 5 } })
    expect(burningBy(counted, 0.999)).toBeUndefined()
  })

  it('burns slowly where little is bad for long', () => {
    // 0.7 % of six hours and 1 % of half an hour: 7 and 10.
    const counted = windows({
      5: { good: 99, bad: 1 },
      30: { good: 594, bad: 6 },
      60: { good: 1_190, bad: 10 },
      360: { good: 7_150, bad: 50 },
    })
    expect(burningBy(counted, 0.999)?.rule).toBe(slow)
  })

  it('does not burn for two bad calls, whatever share of so few they are', () => {
    const lonely = (bad: number) => ({ good: 0, bad })
    const all = (bad: number) => windows({ 5: lonely(bad), 30: lonely(bad), 60: lonely(bad), 360: lonely(bad) })
    expect(burningBy(all(2), 0.999)).toBeUndefined()
    expect(burningBy(all(3), 0.999)?.rule).toBe(fast)
  })

  it('burns for an outage of everything whatever is promised', () => {
    const outage = windows({ 5: { good: 0, bad: 50 }, 60: { good: 300, bad: 300 } })
    for (const goodShare of [0.5, 0.9, 0.95, 0.999, 0.99999]) expect(burningBy(outage, goodShare)?.rule).toBe(fast)
    expect(burnMinOf(fast, 0.999)).toBe(14.4)
    expect(burnMinOf(fast, 0.9)).toBeCloseTo(5, 9)
  })
})
