import { ask, daily, drain, monthly, refusalOf, reservationOf, reserve, town, using } from './budgets-on-azurite'

const at = (...parts: [number, number, number, number, number]) => Date.UTC(...parts)

describe('a reservation', () => {
  it('waits for one write when cold and for none while the lease lasts', async () => {
    const { open } = await town()
    const office = open()
    const first = office.keeper.reserve(ask(daily(1_000_000), 100))
    expect(first).toBeInstanceOf(Promise)
    reservationOf(await first).settle(using(100))
    expect(office.operations).toEqual({ reads: 1, writes: 1 })

    const second = office.keeper.reserve(ask(daily(1_000_000), 100))
    expect(second).not.toBeInstanceOf(Promise)
    expect(office.operations).toEqual({ reads: 1, writes: 1 })
    await office.keeper.close()
  })

  it('costs nothing where there is no budget, and waits for nothing where none stops', async () => {
    const { open } = await town()
    const office = open()
    expect(office.keeper.reserve(ask({}, 100))).toMatchObject({ kind: 'reserved' })
    expect(office.keeper.reserve(ask(daily(10, false), 1_000_000))).toMatchObject({ kind: 'reserved' })
    expect(office.operations).toEqual({ reads: 0, writes: 0 })
    await office.keeper.close()
  })

  it('of a thousand first calls at once costs one write, and exactly what fits is let through', async () => {
    const { open } = await town()
    const office = open()
    const results = await Promise.all(Array.from({ length: 1_000 }, () => reserve(office, ask(daily(6_000), 10))))
    expect(results.map(({ kind }) => kind)).toEqual(results.map((_, i) => (i < 600 ? 'reserved' : 'refused')))
    expect(office.operations.writes).toBe(1)
    await office.keeper.close()
  })

  it('seldom waits for storage while calls keep coming at a steady pace', async () => {
    const { open, pass } = await town()
    const office = open()
    let waited = 0
    for (let i = 0; i < 200; i++) {
      const reserved = office.keeper.reserve(ask(daily(50_000_000), 500))
      if (reserved instanceof Promise) waited++
      const reservation = reservationOf(await reserved)
      await pass(250)
      reservation.settle(using(300))
    }
    expect(waited).toBeLessThanOrEqual(2)
    // 50 s: a renewal every few seconds, and not one for each call.
    expect(office.operations.writes).toBeLessThan(25)
    await office.keeper.close()
  })
})

describe('a budget', () => {
  it('over two instances is exactly what is let through, and not one call more', async () => {
    const place = await town()
    const [one, two] = [place.open(), place.open()]
    let through = 0
    for (let round = 0; round < 80; round++) {
      const results = await place.meanwhile(
        Promise.all([one, two].map((office) => reserve(office, ask(daily(1_000), 10)))),
      )
      for (const result of results) {
        if (result.kind !== 'reserved') continue
        through++
        result.reservation.settle(using(10))
      }
    }
    expect(through).toBe(100)
    await place.meanwhile(Promise.all([one.keeper.close(), two.keeper.close()]))
  })

  it('gives its last tokens to one of two instances that ask for them at the same moment', async () => {
    const place = await town()
    const [one, two] = [place.open(), place.open()]
    await drain(place, one, ask(daily(1_000), 900), { atMost: 1 })
    await place.pass(20_000)
    const results = await place.meanwhile(
      Promise.all([one, two].map((office) => reserve(office, ask(daily(1_000), 100)))),
    )
    expect(results.map(({ kind }) => kind).sort()).toEqual(['refused', 'reserved'])
    await place.meanwhile(Promise.all([one.keeper.close(), two.keeper.close()]))
  })

  it('lets the next call have what the one before it reserved and did not use', async () => {
    const { open } = await town()
    const office = open()
    const whole = ask(daily(1_000), 1_000)
    const first = reservationOf(await office.keeper.reserve(whole))
    expect((await office.keeper.reserve(ask(daily(1_000), 1))).kind).toBe('refused')
    first.settle(using(0))
    expect((await office.keeper.reserve(whole)).kind).toBe('reserved')
    await office.keeper.close()
  })

  it('counts what a call used beyond its estimate, even past its end, and refuses from then on', async () => {
    const place = await town()
    const office = place.open()
    reservationOf(await office.keeper.reserve(ask(daily(1_000), 900))).settle(using(1_500))
    const refusal = refusalOf(await place.meanwhile(office.keeper.reserve(ask(daily(1_000), 1))))
    expect(refusal).toMatchObject({ budget: 'tokensPerDay', limit: 1_000, needed: 1 })
    await place.meanwhile(office.keeper.close())
    expect(await place.used()).toBe(1_500)
  })

  it('of money holds like one of tokens, and a call that costs none of it passes', async () => {
    const place = await town()
    const office = place.open()
    const budgets = { microUsdPerMonth: { limit: 2_000, stop: true } }
    expect(await drain(place, office, ask(budgets, 100))).toBe(10)
    const refused = refusalOf(await place.meanwhile(office.keeper.reserve(ask(budgets, 100))))
    expect(refused).toMatchObject({ budget: 'microUsdPerMonth', renewsAtMs: at(2026, 5, 1, 0, 0) })
    const unpriced = ask(budgets, 100, { cost: { tokens: 1_000_000, microUsd: 0 } })
    expect((await place.meanwhile(office.keeper.reserve(unpriced))).kind).toBe('reserved')
    await place.meanwhile(office.keeper.close())
  })

  it('that is raised lets calls through again at once, and one that is lowered stops them', async () => {
    const place = await town()
    const office = place.open()
    expect(await drain(place, office, ask(daily(1_000), 100))).toBe(10)
    expect(await drain(place, office, ask(daily(2_000), 100))).toBe(10)
    expect(await drain(place, office, ask(daily(100_000), 100), { atMost: 50 })).toBe(50)
    expect((await place.meanwhile(office.keeper.reserve(ask(daily(3_000), 100)))).kind).toBe('refused')
    await place.meanwhile(office.keeper.close())
  })

  it('of a key or an alias holds besides the tenant’s, and what one refuses is not taken from another', async () => {
    const place = await town()
    const office = place.open()
    const key = { kind: 'key', keyId: 'key_1' } as const
    const both = ask({}, 100, {
      subjects: [
        { subject: { kind: 'tenant' }, budgets: daily(10_000) },
        { subject: key, budgets: daily(500) },
        { subject: { kind: 'alias', alias: 'chat' }, budgets: monthly(100_000) },
      ],
    })
    expect(await drain(place, office, both)).toBe(5)
    expect(refusalOf(await place.meanwhile(office.keeper.reserve(both)))).toMatchObject({ subject: key })
    expect(await drain(place, office, ask(daily(10_000), 100))).toBe(95)
    await place.meanwhile(office.keeper.close())
    expect(await place.used(key)).toBe(500)
    expect(await place.used()).toBe(10_000)
  })
})

describe('a period', () => {
  it('gives the day’s budget again at midnight UTC, and of the month what is left', async () => {
    const place = await town(at(2026, 4, 30, 23, 58))
    const office = place.open()
    const budgets = { ...daily(1_000), ...monthly(1_500) }
    expect(await drain(place, office, ask(budgets, 100))).toBe(10)
    await place.pass(119_000)
    expect((await place.meanwhile(office.keeper.reserve(ask(budgets, 100)))).kind).toBe('refused')
    await place.pass(2_000)
    expect(await drain(place, office, ask(budgets, 100))).toBe(5)
    expect(refusalOf(await place.meanwhile(office.keeper.reserve(ask(budgets, 100))))).toMatchObject({
      budget: 'tokensPerMonth',
      renewsAtMs: at(2026, 5, 1, 0, 0),
    })
    await place.meanwhile(office.keeper.close())
  })

  it('gives the month’s budget again at its first midnight, to an instance that kept its lease over it too', async () => {
    const place = await town(at(2026, 4, 31, 23, 59))
    const [busy, late] = [place.open(), place.open({ skewMs: -400 })]
    const request = ask(monthly(1_500), 100)
    expect(await drain(place, busy, request)).toBe(15)
    await place.pass(59_000)
    expect((await place.meanwhile(late.keeper.reserve(request))).kind).toBe('refused')
    await place.pass(3_000)
    const through = [await drain(place, busy, request, { atMost: 8 }), await drain(place, late, request)]
    expect(through).toEqual([8, 7])
    await place.meanwhile(Promise.all([busy, late].map(({ keeper }) => keeper.close())))
  })

  it('charges a call to the day in which it was let through', async () => {
    const place = await town(at(2026, 4, 12, 23, 59))
    const office = place.open()
    const late = reservationOf(await place.meanwhile(office.keeper.reserve(ask(daily(1_000), 800))))
    await place.pass(90_000)
    late.settle(using(900))
    await place.pass(20_000)
    expect(await drain(place, office, ask(daily(1_000), 100))).toBe(10)
    await place.meanwhile(office.keeper.close())
  })
})

describe('warnings', () => {
  it('are recorded once for each share of each budget, whatever number of instances see it', async () => {
    const place = await town()
    const offices = [place.open(), place.open(), place.open()]
    for (let i = 0; i < 6; i++)
      for (const office of offices) await drain(place, office, ask(daily(1_000, false), 30), { atMost: 1 })
    await place.pass(60_000)
    for (const office of offices) await place.meanwhile(office.keeper.close())
    await place.pass(1_000)
    const [first, ...rest] = await place.alerts()
    expect(first).toMatchObject({ title: "50 % of the tenant's daily budget of tokens is used", timesSeen: 1 })
    expect(rest).toEqual([])
  })

  it('come again in the next period, and say that calls are refused', async () => {
    const place = await town(at(2026, 4, 12, 23, 59))
    const office = place.open()
    for (let day = 0; day < 2; day++) {
      await drain(place, office, ask(daily(1_000), 100))
      await place.pass(70_000)
    }
    const whose = "the tenant's daily budget of tokens"
    const each = [
      `Calls are refused by ${whose}`,
      ...[50, 80, 100].map((percent) => `${percent} % of ${whose} is used`),
    ]
    const alerts = await place.alerts()
    expect(alerts.map(({ title }) => title).sort()).toEqual([...each, ...each].sort())
    expect(alerts.map(({ timesSeen }) => timesSeen)).toEqual(alerts.map(() => 1))
    await place.meanwhile(office.keeper.close())
  })

  it('wait for what was really used: a large reservation alone is none', async () => {
    const place = await town()
    const office = place.open()
    const held = reservationOf(await place.meanwhile(office.keeper.reserve(ask(daily(1_000), 900))))
    await place.pass(30_000)
    held.settle(using(100))
    await place.pass(30_000)
    expect(await place.alerts()).toEqual([])
    await place.meanwhile(office.keeper.close())
  })
})
