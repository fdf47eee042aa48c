import { ProblemError } from '../../src/base/problem'
import { CLOSED_AFTER_MS } from '../../src/budgets/true-up'
import { ABANDONED_AFTER_MS } from '../../src/inference/running-calls'
import { LATE_CLOSED_AFTER_MS } from '../../src/metering/late-usage'
import { ask, daily, drain, monthly, refusalOf, reservationOf, scope, tenant, town, using } from './budgets-on-azurite'

const HOUR_MS = 3_600_000
/** Longer than from one renewal to the next: what was settled is in the row by then. */
const REPORTED_MS = 10_000
const codeOf = (error: unknown) => (error instanceof ProblemError ? error.problem.code : error)

describe('what if an instance crashes', () => {
  it('what it had spent and reserved counts, and the rest of the budget can be used by others', async () => {
    const place = await town()
    const [victim, other] = [place.open(), place.open()]
    await drain(place, victim, ask(daily(100_000), 1_000), { atMost: 20 })
    reservationOf(await place.meanwhile(victim.keeper.reserve(ask(daily(100_000), 5_000))))
    victim.outage = true
    await place.pass(35_000)
    const more = await drain(place, other, ask(daily(100_000), 1_000))
    expect(more).toBeLessThanOrEqual(75)
    // A slice ahead is a small part of the budget, so that a crash costs a day little until the log is asked.
    expect(more).toBeGreaterThanOrEqual(70)
    await place.meanwhile(other.keeper.close())
  })

  it('what its lease held unspent comes back once the usage log has been asked', async () => {
    const place = await town()
    const [victim, other] = [place.open(), place.open()]
    await drain(place, victim, ask(daily(10_000), 1_000), { atMost: 2 })
    reservationOf(await place.meanwhile(victim.keeper.reserve(ask(daily(10_000), 6_000))))
    victim.outage = true
    place.logged.set(Date.UTC(2026, 4, 12, 9), using(2_000))
    await place.clock.advance(40_000)
    expect(await drain(place, other, ask(daily(10_000), 1_000))).toBeLessThanOrEqual(2)

    place.logged.set(Date.UTC(2026, 4, 12, 9), using(2_000 + 1_000 * 2))
    await place.clock.jump(2 * HOUR_MS)
    await drain(place, other, ask(daily(10_000), 1_000), { atMost: 1 })
    await place.pass(REPORTED_MS)
    const used = await place.used()
    expect(used).toBeGreaterThanOrEqual(4_000)
    expect(used).toBeLessThanOrEqual(5_000)
    await place.meanwhile(other.keeper.close())
  })

  it('a restart finds what was spent', async () => {
    const place = await town()
    const before = place.open()
    await drain(place, before, ask(monthly(1_000), 100), { atMost: 7 })
    await place.meanwhile(before.keeper.close())
    const after = place.open()
    expect(await drain(place, after, ask(monthly(1_000), 100))).toBe(3)
    await place.meanwhile(after.keeper.close())
  })
})

describe('what if the write', () => {
  it.each(['refuse', 'lose-answer'] as const)(
    'goes wrong (%s): nothing counts twice and nothing is let through twice',
    async (fault) => {
      const place = await town()
      const office = place.open()
      office.faults.push(fault)
      expect(await drain(place, office, ask(daily(1_000), 100), { atMost: 4 })).toBe(4)
      for (let i = 0; i < 3; i++) {
        office.faults.push(fault)
        await place.pass(9_000)
      }
      expect(await drain(place, office, ask(daily(1_000), 100))).toBe(6)
      office.faults.push(fault)
      await place.meanwhile(office.keeper.close())
      await place.pass(31_000)
      expect(await place.used()).toBe(1_000)
    },
  )

  it('gives the lease back and is under way: nothing is spent of what the row may lease to others by now', async () => {
    const place = await town()
    const [one, two] = [place.open(), place.open()]
    await drain(place, one, ask(daily(1_000), 100), { atMost: 1 })
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    // The first renewal tells what was spent; the second comes after so long without a call that it gives back.
    await place.pass(9_000)
    one.faults.push({ held })
    const before = one.operations.writes
    while (one.operations.writes === before) await place.pass(250)
    const reserved = one.keeper.reserve(ask(daily(1_000), 100))
    expect(reserved).toBeInstanceOf(Promise)
    release()
    const others = await drain(place, two, ask(daily(1_000), 100))
    const mine = (await place.meanwhile(reserved)).kind === 'reserved' ? 1 : 0
    expect(1 + others + mine).toBeLessThanOrEqual(10)
    await place.meanwhile(Promise.all([one.keeper.close(), two.keeper.close()]))
  })

  it('is not answered at all: the call is refused as unavailable, and nothing stays reserved', async () => {
    const place = await town()
    const office = place.open()
    office.outage = true
    const late = Promise.resolve(office.keeper.reserve(ask(daily(1_000), 100))).catch(codeOf)
    expect(await place.meanwhile(late)).toBe('storage_unavailable')
    office.outage = false
    expect(await drain(place, office, ask(daily(1_000), 100))).toBe(10)
    await place.meanwhile(office.keeper.close())
  })

  it('is held up for longer than the lease lives: nothing is spent from it meanwhile', async () => {
    const place = await town()
    const [one, two] = [place.open(), place.open()]
    await drain(place, one, ask(daily(1_000), 100), { atMost: 2 })
    one.outage = true
    await place.pass(35_000)
    const others = await drain(place, two, ask(daily(1_000), 100))
    const late = Promise.resolve(one.keeper.reserve(ask(daily(1_000), 100))).catch(codeOf)
    expect(await place.meanwhile(late)).toBe('storage_unavailable')
    one.outage = false
    const mine = await drain(place, one, ask(daily(1_000), 100))
    expect(2 + others + mine).toBeLessThanOrEqual(10)
    await place.meanwhile(Promise.all([one.keeper.close(), two.keeper.close()]))
  })
})

describe('what if the row is missing', () => {
  it('since the budget is new: what the tenant used before counts from the usage log', async () => {
    const place = await town()
    place.logged.set(Date.UTC(2026, 4, 2, 3), using(300))
    place.logged.set(Date.UTC(2026, 4, 12, 1), using(400))
    place.logged.set(Date.UTC(2026, 4, 12, 9), using(50))
    place.logged.set(Date.UTC(2026, 3, 30, 9), using(5_000))
    const office = place.open()
    const budgets = { ...daily(1_000), ...monthly(1_000) }
    expect(await drain(place, office, ask(budgets, 50))).toBe(5)
    expect(refusalOf(await place.meanwhile(office.keeper.reserve(ask(budgets, 50))))).toMatchObject({
      budget: 'tokensPerMonth',
      used: 1_000,
    })
    await place.meanwhile(office.keeper.close())
  })

  it('and the log cannot be read: nobody is let through on a guess', async () => {
    const place = await town()
    place.logReads.fails = true
    const office = place.open()
    const late = Promise.resolve(office.keeper.reserve(ask(daily(1_000), 100))).catch(codeOf)
    expect(await place.meanwhile(late)).toBe('storage_unavailable')
    await place.meanwhile(office.keeper.close())
  })

  it('since it was deleted: without a call it stays deleted', async () => {
    const place = await town()
    const office = place.open()
    await drain(place, office, ask(daily(1_000), 100), { atMost: 3 })
    await place.deleteRow()
    await place.pass(60_000)
    expect(await place.store.read(scope, tenant)).toBeUndefined()
    await place.meanwhile(office.keeper.close())
  })
})

describe('what if hours are over', () => {
  it('the usage log’s sums take the place of what instances counted, once for all of them', async () => {
    const place = await town()
    const offices = [place.open(), place.open()]
    for (const office of offices) await drain(place, office, ask(daily(100_000), 1_000), { atMost: 10 })
    place.logged.set(Date.UTC(2026, 4, 12, 9), using(15_000))
    const reads = place.logReads.count
    await place.pass(60_000)
    await place.clock.jump(2 * HOUR_MS)
    for (const office of offices) await drain(place, office, ask(daily(100_000), 1_000), { atMost: 1 })
    await place.pass(REPORTED_MS)
    expect(place.logReads.count).toBeGreaterThan(reads)
    expect(await place.used()).toBe(15_000 + 2_000)
    await place.meanwhile(Promise.all(offices.map(({ keeper }) => keeper.close())))
    expect(await place.used()).toBe(15_000 + 2_000)
  })

  it('an hour is not taken for over while a call of it may go on, or usage be recorded under a claim of it', async () => {
    expect(CLOSED_AFTER_MS).toBeGreaterThan(Math.max(ABANDONED_AFTER_MS, LATE_CLOSED_AFTER_MS) + 5 * 60_000)
    const place = await town()
    const office = place.open()
    await drain(place, office, ask(monthly(1_000_000), 1_000), { atMost: 10 })
    // 75 minutes after the end of the hour at the earliest, and ten more at the latest.
    await place.clock.jump(100 * 60_000)
    await drain(place, office, ask(monthly(1_000_000), 1_000), { atMost: 1 })
    await place.pass(REPORTED_MS)
    expect(await place.used()).toBe(11_000)
    place.logged.set(Date.UTC(2026, 4, 12, 9), using(70_000))
    await place.clock.jump(20 * 60_000)
    await drain(place, office, ask(monthly(1_000_000), 1_000), { atMost: 1 })
    await place.pass(REPORTED_MS)
    expect(await place.used()).toBe(70_000 + 2_000)
    await place.meanwhile(office.keeper.close())
  })

  it('what the log learns of them later still counts in the month from the next night on', async () => {
    const place = await town()
    const office = place.open()
    await drain(place, office, ask(monthly(1_000_000), 1_000), { atMost: 10 })
    place.logged.set(Date.UTC(2026, 4, 12, 9), using(10_000))
    await place.pass(REPORTED_MS)
    await place.clock.jump(3 * HOUR_MS)
    await drain(place, office, ask(monthly(1_000_000), 1_000), { atMost: 1 })
    await place.pass(REPORTED_MS)
    expect(await place.used()).toBe(11_000)

    // A batch whose account told of it much later, and a line of the log that an outage held back.
    place.logged.set(Date.UTC(2026, 4, 12, 7), using(200_000))
    place.logged.set(Date.UTC(2026, 4, 12, 9), using(30_000))
    place.logged.set(Date.UTC(2026, 4, 12, 12), using(1_000))
    await place.clock.jump(16 * HOUR_MS)
    await drain(place, office, ask(monthly(1_000_000), 1_000), { atMost: 1 })
    await place.pass(REPORTED_MS)
    expect(await place.used()).toBe(200_000 + 30_000 + 1_000 + 1_000)
    await place.meanwhile(office.keeper.close())
    expect(await place.used()).toBe(200_000 + 30_000 + 1_000 + 1_000)
  })
})
