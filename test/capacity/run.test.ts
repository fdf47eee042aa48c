import { alertIdOf } from '../../src/capacity/limit-alerts'
import type { BackendId, TenantId } from '../../src/base/ids'
import type { CapacitySubject } from '../../src/capacity/outlook'
import { TenantScope } from '../../src/storage/tenant-scope'
import { capacityWorld, firstDay } from './capacity-world'

type World = Awaited<ReturnType<typeof capacityWorld>>

const DAYS = 34
/** What is further back stands in what runs have seen before. */
const FIRST_CALL = DAYS - 3
/** A busy week and a quiet weekend, growing by two percent of the first day's with every day. */
const growing = (day: number) => Math.round(10_000 * (1 + 0.02 * day) * (day % 7 >= 5 ? 0.4 : 1))

async function grownTenant(
  world: World,
  limitOverrides: Record<string, number>,
  backendId?: BackendId,
): Promise<TenantId> {
  const tenantId = await world.tenant({ limitOverrides })
  for (let day = FIRST_CALL; day < DAYS; day++)
    world.call(tenantId, day, { tokens: growing(day) }, backendId && { backendId })
  return tenantId
}

/** What runs of the days before have seen of a deployment’s or a tenant’s minutes. */
async function seenBefore({ store }: World, subject: CapacitySubject, peakOf: (day: number) => number) {
  const peaks = Array.from({ length: DAYS - 1 }, (_, day) => peakOf(day))
  const none = peaks.map(() => 0)
  await store.putDays(subject, {
    firstDay,
    values: {
      requests: peaks.map(() => 1),
      tokens: peaks,
      costMicroUsd: peaks,
      peakRequests: peaks.map(() => 1),
      peakTokens: peaks,
      peakLoad: none,
      turnedAway: none,
    },
  })
}

const limitOf = async ({ capacity }: World, tenantId: TenantId, name: string) =>
  (await capacity.outlook({ kind: 'tenant', tenantId }))?.limits.find((limit) => limit.name === name)

const alertOf = ({ alerts }: World, tenantId: TenantId) =>
  alerts.get(alertIdOf({ kind: 'tenant', tenantId }, 'tokensPerMinute'))

describe('a run', () => {
  it('says when a growing tenant reaches its limit, by one alert, and takes that back when the limit is raised', async () => {
    const world = await capacityWorld()
    const tenantId = await grownTenant(world, { tokensPerMinute: 20_000 })
    await seenBefore(world, { kind: 'tenant', tenantId }, growing)
    await world.after(DAYS - 1)
    const run = await world.capacity.look()
    expect(run).toMatchObject({ through: firstDay + DAYS - 1, phase: { kind: 'ended' }, tenants: 1, failed: 0 })
    const limit = await limitOf(world, tenantId, 'tokensPerMinute')
    expect(limit?.used).toBe(growing(DAYS - 2))
    // 20,000 a weekday are reached on day 50: 17 days on, give or take a week.
    expect(limit?.expectedInDays).toBeGreaterThan(9)
    expect(limit?.expectedInDays).toBeLessThan(26)
    expect(await alertOf(world, tenantId)).toMatchObject({ state: 'open', timesSeen: 1, audience: 'tenant', tenantId })

    await world.capacity.refresh()
    expect(await alertOf(world, tenantId)).toMatchObject({ state: 'open', timesSeen: 2, episode: 1 })

    await world.tenants.patch(
      TenantScope.ofPlatform(tenantId),
      { limitOverrides: { tokensPerMinute: 900_000 } },
      () => true,
    )
    await world.capacity.refresh()
    expect((await limitOf(world, tenantId, 'tokensPerMinute'))?.expectedInDays).toBeUndefined()
    expect(await alertOf(world, tenantId)).toMatchObject({ state: 'resolved' })
  })

  it('adds up what tenants use of a deployment together, and names the deployment before them', async () => {
    const world = await capacityWorld()
    const backendId = await world.backend()
    await world.capacity.putSetting(backendId, { tokensPerMinute: 35_000 }, () => true)
    await grownTenant(world, { tokensPerMinute: 900_000 }, backendId)
    await grownTenant(world, { tokensPerMinute: 900_000 }, backendId)
    await seenBefore(world, { kind: 'deployment', backendId }, (day) => 2 * growing(day))
    await world.after(DAYS - 1)
    await world.capacity.look()
    const outlook = await world.capacity.outlook({ kind: 'deployment', backendId })
    expect(outlook?.limits[0]).toMatchObject({ name: 'tokensPerMinute', used: 2 * growing(DAYS - 2) })
    expect(outlook?.limits[0]?.expectedInDays).toBeLessThan(30)
    const { shown } = await world.capacity.page({ limit: 10 })
    expect(shown.map(({ subject }) => subject.kind)).toEqual(['deployment', 'tenant', 'tenant'])
    expect((await world.capacity.page({ limit: 10, kind: 'tenant' })).shown).toHaveLength(2)
    expect((await world.capacity.page({ limit: 10, withinDays: 30 })).shown).toHaveLength(1)
    const [first] = (await world.capacity.page({ limit: 1 })).shown
    const { shown: rest } = await world.capacity.page({ limit: 10, after: first?.place })
    expect(rest.map(({ place }) => place)).toEqual(shown.slice(1).map(({ place }) => place))
  })

  it('knows of a deployment that its owner alone uses what its owner used of it', async () => {
    const world = await capacityWorld()
    const tenantId = await grownTenant(world, { tokensPerMinute: 900_000 })
    const backendId = await world.backend({ ownerTenantId: tenantId, throughput: undefined })
    for (let day = FIRST_CALL; day < DAYS; day++) world.call(tenantId, day, { tokens: 500, hour: 12 }, { backendId })
    await world.after(DAYS - 1)
    await world.capacity.look()
    const days = await world.store.days({ kind: 'deployment', backendId })
    expect(days?.values.tokens).toEqual([500, 500, 500])
    const own = await world.store.days({ kind: 'tenant', tenantId })
    expect(own?.values.tokens[0]).toBe(growing(FIRST_CALL) + 500)
    // Of the day before minutes are not kept for as long as a run may take.
    expect(own?.values.peakTokens).toEqual([null, growing(DAYS - 2), growing(DAYS - 1)])
  })

  it('that was broken off goes on where it stopped, and until it has ended the one before is shown', async () => {
    const world = await capacityWorld()
    const backendId = await world.backend()
    const tenantId = await grownTenant(world, { tokensPerMinute: 900_000 }, backendId)
    await world.after(DAYS - 1)
    await world.capacity.look()
    const before = await world.capacity.page({ limit: 10 })
    expect(before.shown).toHaveLength(2)

    world.call(tenantId, DAYS, { tokens: 12_345 }, { backendId })
    await world.after(DAYS)
    expect(await world.page()).toMatchObject({ phase: { kind: 'deployments' }, tenants: 1, deployments: 0 })
    const during = await world.capacity.page({ limit: 10 })
    expect(during.shown.map(({ place }) => place)).toEqual(before.shown.map(({ place }) => place))
    expect((await world.capacity.lastRun())?.endedAtMs).toBeUndefined()
    expect(await world.page()).toMatchObject({ phase: { kind: 'ended' }, tenants: 1, deployments: 1 })
    expect((await world.store.days({ kind: 'deployment', backendId }))?.values.tokens.at(-1)).toBe(12_345)
    expect((await world.capacity.page({ limit: 10 })).shown).toHaveLength(2)

    // Nothing is due until the next day has passed.
    const ended = await world.capacity.lastRun()
    expect(await world.capacity.look()).toEqual(ended)
  })

  it('that several do at once says what one would have said, and names everybody once', async () => {
    const world = await capacityWorld()
    const backendId = await world.backend()
    const tenantId = await grownTenant(world, { tokensPerMinute: 20_000 }, backendId)
    await seenBefore(world, { kind: 'tenant', tenantId }, growing)
    await world.after(DAYS - 1)
    await Promise.all([world.capacity.look(), world.capacity.look(), world.capacity.look()])
    const days = await world.store.days({ kind: 'deployment', backendId })
    expect(days?.values.tokens).toEqual([FIRST_CALL, DAYS - 2, DAYS - 1].map(growing))
    const { shown } = await world.capacity.page({ limit: 10 })
    expect(shown.map(({ subject }) => subject)).toEqual([
      { kind: 'tenant', tenantId },
      { kind: 'deployment', backendId },
    ])
    expect(await alertOf(world, tenantId)).toMatchObject({ state: 'open', episode: 1 })
  })

  it('keeps the fullest minute of a day that is read again when its minutes are gone', async () => {
    const world = await capacityWorld()
    const tenantId = await grownTenant(world, { tokensPerMinute: 900_000 })
    await world.after(DAYS - 1)
    await world.capacity.look()
    world.call(tenantId, DAYS + 9, { tokens: 77 })
    await world.after(DAYS + 9)
    await world.capacity.look()
    const values = (await world.store.days({ kind: 'tenant', tenantId }))?.values
    expect(values?.peakTokens[2]).toBe(growing(DAYS - 1))
    // Days without use in between are days with none, not days of which nothing is known.
    expect(values?.tokens.slice(3, 12)).toEqual(Array.from({ length: 9 }, () => 0))
    expect(values?.peakTokens.at(-1)).toBe(77)
  })

  it('forgets deployments that are gone, with what was said of them', async () => {
    const world = await capacityWorld()
    const backendId = await world.backend()
    await world.capacity.putSetting(backendId, { tokensPerMinute: 20_000 }, () => true)
    await grownTenant(world, { tokensPerMinute: 900_000 }, backendId)
    await seenBefore(world, { kind: 'deployment', backendId }, growing)
    await world.after(DAYS - 1)
    await world.capacity.look()
    const alertId = alertIdOf({ kind: 'deployment', backendId }, 'tokensPerMinute')
    expect(await world.alerts.get(alertId)).toMatchObject({ state: 'open' })
    expect((await world.alerts.get(alertId))?.audience).toBeUndefined()
    await world.backends.remove(backendId)
    await world.capacity.refresh()
    expect(await world.alerts.get(alertId)).toMatchObject({ state: 'resolved' })
    expect(await world.store.days({ kind: 'deployment', backendId })).toBeUndefined()
    expect((await world.capacity.page({ limit: 10 })).shown.map(({ subject }) => subject.kind)).toEqual(['tenant'])
  })

  it('says of a tenant that began last week how much is missing, and of one that never called nothing', async () => {
    const world = await capacityWorld()
    const [young, silent] = [await world.tenant(), await world.tenant()]
    for (let day = 0; day < 5; day++) world.call(young, day, { tokens: 100 })
    await world.after(4)
    await world.capacity.look()
    const outlook = await world.capacity.outlook({ kind: 'tenant', tenantId: young })
    expect(outlook?.forecasts.tokens).toEqual({ kind: 'not-enough-history', daysKnown: 5, daysNeeded: 14 })
    expect(await world.capacity.outlook({ kind: 'tenant', tenantId: silent })).toBeUndefined()
  })

  it('takes along nothing of a tenant that has left', async () => {
    const world = await capacityWorld()
    const tenantId = await grownTenant(world, { tokensPerMinute: 900_000 })
    await world.after(DAYS - 1)
    await world.capacity.look()
    expect(await world.store.countRanks(tenantId)).toBe(1)
    await world.store.removeRanks(tenantId)
    expect(await world.store.countRanks(tenantId)).toBe(0)
    expect((await world.capacity.page({ limit: 10 })).shown).toEqual([])
  })
})
