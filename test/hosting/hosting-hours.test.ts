import { createHostingMeters } from '../../src/hosting/hosting-meters'
import { HOSTING_OPERATION } from '../../src/hosting/hosting-entry'
import { hostingPrices } from '../../src/hosting/hosting-prices'
import type { ModelVersion } from '../../src/registry/model-version'
import { HOUR_MS, hostingWorld, type HostingWorld } from './hosting-world'

const USD_MICRO = 1_000_000
const HOUR_PRICE = 1.7 * USD_MICRO

let world: HostingWorld
let t0: number
beforeEach(async () => {
  world = await hostingWorld()
  t0 = world.clock.now()
})
afterEach(() => world[Symbol.asyncDispose]())

const plan = (model: ModelVersion, sku: 'Standard' | 'DataZoneStandard' | 'DeveloperTier' = 'Standard') =>
  ({ accountId: world.account, name: 'x', sku, capacity: 1, backendId: `bke_${model.id.slice(4)}` }) as const

/** What is booked by the hour: its beginning, and the cost of it. */
async function booked({ scope }: { scope: Parameters<HostingWorld['usage']>[0] }) {
  const span = { from: new Date(t0).toISOString(), to: new Date(t0 + 14 * 24 * HOUR_MS).toISOString() }
  const { rows, totals } = await world.usage(scope, { ...span, groupBy: 'operation', interval: 'hour' })
  const hours = rows.map(({ start = '', operation, costMicroUsd, calls }) => {
    expect(operation).toBe(HOSTING_OPERATION)
    return { hour: (Date.parse(start) - t0) / HOUR_MS, usd: costMicroUsd / USD_MICRO, calls }
  })
  return { hours, totals }
}

describe('what a deployment is hosted for', () => {
  it('is booked by hours of the clock, the first and the last in part', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.clock.advance(HOUR_MS / 2)
    await world.meters.begin(tenant.scope, model, plan(model))
    await world.clock.advance(HOUR_MS / 4)
    await world.meters.book(tenant.scope, model)
    expect((await booked(tenant)).hours).toEqual([])
    await world.clock.advance(1.5 * HOUR_MS)
    await world.meters.book(tenant.scope, model)
    await world.meters.end(tenant.scope, model)
    expect((await booked(tenant)).hours).toEqual([
      { hour: 0, usd: 0.85, calls: 1 },
      { hour: 1, usd: 1.7, calls: 1 },
      { hour: 2, usd: 0.425, calls: 1 },
    ])
    // Nothing more is booked of what has ended.
    await world.clock.advance(5 * HOUR_MS)
    await world.meters.book(tenant.scope, model)
    await world.meters.end(tenant.scope, model)
    expect((await booked(tenant)).totals.costMicroUsd).toBe(1.75 * HOUR_PRICE)
  })

  it('is booked once, by however many timers at once', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.meters.begin(tenant.scope, model, plan(model))
    await world.clock.advance(5 * HOUR_MS)
    await Promise.all(Array.from({ length: 8 }, () => world.meters.book(tenant.scope, model)))
    expect((await booked(tenant)).totals).toMatchObject({ calls: 5, costMicroUsd: 5 * HOUR_PRICE })
  })

  it('is booked once where a process dies between its claim, the log and the note of it', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.meters.begin(tenant.scope, model, plan(model))
    await world.clock.advance(3 * HOUR_MS)
    const dying = (when: 'before' | 'after') =>
      createHostingMeters({
        rows: world.rows,
        lateUsage: {
          record: async (claim, entries) => {
            if (when === 'after') await world.lateUsage.record(claim, entries)
            throw new Error('killed')
          },
        },
        pricesAt: () => hostingPrices,
        clock: world.clock,
      })
    await expect(dying('before').book(tenant.scope, model)).rejects.toThrow('killed')
    await expect(dying('after').book(tenant.scope, model)).rejects.toThrow('killed')
    await world.clock.advance(HOUR_MS / 2)
    await world.meters.book(tenant.scope, model)
    await world.meters.end(tenant.scope, model)
    expect((await booked(tenant)).totals).toMatchObject({ calls: 4, costMicroUsd: 3.5 * HOUR_PRICE })
  })

  it('is booked once where its claim had become too old to write under', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.meters.begin(tenant.scope, model, plan(model))
    await world.clock.advance(2 * HOUR_MS)
    const dead = { record: () => Promise.reject(new Error('killed')) }
    const { rows, clock } = world
    const dying = createHostingMeters({ rows, lateUsage: dead, pricesAt: () => hostingPrices, clock })
    await expect(dying.book(tenant.scope, model)).rejects.toThrow('killed')
    await world.clock.advance(4 * HOUR_MS)
    await world.meters.book(tenant.scope, model)
    expect((await booked(tenant)).totals).toMatchObject({ calls: 6, costMicroUsd: 6 * HOUR_PRICE })
  })

  it('counts anew for each time that it is deployed, also within one hour', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    for (let time = 0; time < 3; time++) {
      await world.meters.begin(tenant.scope, model, plan(model))
      await world.meters.begin(tenant.scope, model, plan(model))
      await world.clock.advance(HOUR_MS / 10)
      await world.meters.end(tenant.scope, model)
      await world.clock.advance(HOUR_MS / 10)
    }
    expect((await booked(tenant)).hours).toEqual([{ hour: 0, usd: 0.51, calls: 3 }])
  })

  it('ends where it was seen last, when Azure has taken it down by itself', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.meters.begin(tenant.scope, model, plan(model))
    await world.clock.advance(2.5 * HOUR_MS)
    await world.meters.end(tenant.scope, model, t0 + 1.5 * HOUR_MS)
    expect((await booked(tenant)).totals.costMicroUsd).toBe(1.5 * HOUR_PRICE)
  })

  it('of the developer tier costs nothing, and of a sku without a known price counts as unpriced', async () => {
    const tenant = await world.newTenant()
    const [free, unknown] = [await world.newModel(tenant.scope), await world.newModel(tenant.scope)]
    await world.meters.begin(tenant.scope, free, plan(free, 'DeveloperTier'))
    await world.meters.begin(tenant.scope, unknown, plan(unknown, 'DataZoneStandard'))
    await world.clock.advance(2 * HOUR_MS)
    await world.meters.book(tenant.scope, free)
    expect((await booked(tenant)).totals).toMatchObject({ calls: 2, unpriced: 0, costMicroUsd: 0 })
    await world.meters.book(tenant.scope, unknown)
    expect((await booked(tenant)).totals).toMatchObject({ calls: 4, unpriced: 2, costMicroUsd: 0 })
  })

  it('is booked after an outage of days: every hour, the old ones as long ago as usage may be', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.meters.begin(tenant.scope, model, plan(model))
    await world.clock.advance(40 * HOUR_MS)
    await world.meters.book(tenant.scope, model)
    const { totals, hours } = await booked(tenant)
    expect(totals).toMatchObject({ calls: 40, costMicroUsd: 40 * HOUR_PRICE })
    expect(hours.at(-1)).toEqual({ hour: 39, usd: 1.7, calls: 1 })
    expect(Math.min(...hours.map(({ hour }) => hour))).toBe(16)
  })
})
