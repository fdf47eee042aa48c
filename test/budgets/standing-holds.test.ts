import { createStandingHolds } from '../../src/budgets/standing-holds'
import { ask, daily, drain, monthly, scope, tenant, town, using, type Town } from './budgets-on-azurite'

const HOUR_MS = 3_600_000
const holder = 'ins_batch0' as const
const subjects = [{ subject: tenant, budgets: daily(10_000) }]

async function holdsIn(place: Town) {
  const holds = createStandingHolds({
    store: place.store,
    spentByLog: async () => ({ tokens: 0, microUsd: 0 }),
    clock: place.clock,
  })
  const hold = (tokens: number, more: Partial<Parameters<typeof holds.hold>[0]> = {}) => {
    const untilMs = place.clock.now() + 3 * HOUR_MS
    return place.meanwhile(holds.hold({ scope, subjects, holder, cost: using(tokens), untilMs, ...more }))
  }
  const release = (tokens: number) =>
    place.meanwhile(
      holds.release({ scope, subjects: [tenant], holder, used: using(tokens), usedAtMs: place.clock.now() }),
    )
  return { hold, release }
}

describe('a standing hold', () => {
  it('takes its cost from what calls may use, for as long as it is held', async () => {
    const place = await town()
    const { hold } = await holdsIn(place)
    expect(await hold(7_000)).toEqual({ kind: 'held' })
    const office = place.open()
    expect(await drain(place, office, ask(daily(10_000), 500), { used: 0, hold: true })).toBe(6)
    await place.meanwhile(office.keeper.close())
  })

  it('is refused where calls and other holds leave too little, and then takes nothing of any subject', async () => {
    const place = await town()
    const { hold } = await holdsIn(place)
    const alias = { subject: { kind: 'alias', alias: 'batch' } as const, budgets: monthly(100_000) }
    await hold(6_000)
    const second = { holder: 'ins_batch1' as const, subjects: [alias, ...subjects] }
    expect(await hold(4_001, second)).toMatchObject({ kind: 'refused', budget: 'tokensPerDay', needed: 4_001 })
    expect((await place.store.read(scope, alias.subject))?.state.holders.size).toBe(0)
    expect(await hold(4_000, second)).toEqual({ kind: 'held' })
  })

  it('held again is not held twice', async () => {
    const place = await town()
    const { hold } = await holdsIn(place)
    await hold(6_000)
    expect(await hold(6_000)).toEqual({ kind: 'held' })
    const { state } = (await place.store.read(scope, tenant)) ?? {}
    expect([...(state?.holders.values() ?? [])].map(({ lease }) => lease)).toEqual([using(6_000)])
  })

  it('outlives any instance, and the hours of a day while it is renewed', async () => {
    const place = await town()
    const { hold } = await holdsIn(place)
    await hold(9_000)
    for (let hours = 0; hours < 8; hours += 2) {
      await place.clock.advance(2 * HOUR_MS)
      await hold(9_000)
    }
    expect(await hold(2_000, { holder: 'ins_other' })).toMatchObject({ kind: 'refused', reserved: 9_000, used: 0 })
  })

  it('gives back what was not used, and enters its use once however often it is released', async () => {
    const place = await town()
    const { hold, release } = await holdsIn(place)
    await hold(9_000)
    await release(2_500)
    await release(2_500)
    expect(await place.used()).toBe(2_500)
    expect(await hold(7_500, { holder: 'ins_other' })).toEqual({ kind: 'held' })
  })

  it('that nobody renews counts as spent until the usage log is asked', async () => {
    const place = await town()
    const { hold } = await holdsIn(place)
    await hold(9_000)
    await place.clock.advance(4 * HOUR_MS)
    expect(await hold(2_000, { holder: 'ins_other' })).toMatchObject({ kind: 'refused', used: 9_000, reserved: 0 })
  })

  it('leaves instances their places in a row', async () => {
    const place = await town()
    const { hold } = await holdsIn(place)
    for (let i = 0; i < 64; i++) expect(await hold(1, { holder: `ins_${i}x` })).toEqual({ kind: 'held' })
    expect(await hold(1, { holder: 'ins_last' })).toEqual({ kind: 'full' })
    const office = place.open()
    expect(await drain(place, office, ask(daily(10_000), 1_000), { atMost: 1 })).toBe(1)
    await place.meanwhile(office.keeper.close())
  })
})
