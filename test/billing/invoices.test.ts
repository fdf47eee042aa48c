import { Problem } from '../../src/base/problem'
import { assembleBilling } from '../../src/billing/assemble-billing'
import { creditInput } from '../../src/billing/credit'
import { planInput } from '../../src/billing/plan'
import type { Day, Period } from '../../src/billing/calendar'
import type { TenantId } from '../../src/base/ids'
import { billingWorld, USD, type BillingWorld } from './billing-world'

const anyVersion = () => true
const subscription = (microUsdPerMonth: number) =>
  planInput.parse({
    kind: 'subscription',
    microUsdPerMonth,
    quota: { kind: 'requests', included: 1, microUsdPerRequest: USD },
  })
const fee = subscription(20 * USD)

async function issued(world: BillingWorld, tenantId: TenantId, period: Period) {
  const found = await world.rows.invoice(world.scopeOf(tenantId), period)
  if (!found) throw new Error(`there is no invoice of ${period}`)
  return found
}

async function shown(world: BillingWorld, tenantId: TenantId, period: Period) {
  const found = await world.invoices.read(world.scopeOf(tenantId), period)
  if (found instanceof Problem) throw new Error(found.public)
  return found
}

const enter = (world: BillingWorld, tenantId: TenantId, input: object) =>
  world.credits.enter(world.scopeOf(tenantId), {
    id: world.billing.newCreditId(),
    ...creditInput.parse({ kind: 'credit', reason: 'agreed', ...input }),
    by: 'an operator',
    createdAt: world.clock.now(),
  })

/** Some usage in February, of which nothing is closed yet. */
async function february(openDay: Day = '2026-02-25'): Promise<BillingWorld & { tenantId: TenantId }> {
  const world = await billingWorld('2026-03-01T06:00:00Z', { openDay })
  const tenantId = world.newTenant('2026-01-10T00:00:00Z')
  await world.used([
    { tenantId, at: '2026-02-25T10:00:00Z', costMicroUsd: 1_500 },
    { tenantId, at: '2026-02-28T23:59:59Z', costMicroUsd: 2_500 },
  ])
  return { ...world, tenantId }
}

describe('a month', () => {
  it('is billed once no usage of it can come any more, and not before', async () => {
    const world = await february()
    const { tenantId } = world
    await world.tick()
    expect(await world.rows.invoice(world.scopeOf(tenantId), '2026-02')).toBeUndefined()
    const early = await world.invoices.issue(world.scopeOf(tenantId), '2026-02')
    expect(early).toMatchObject({
      code: 'conflict',
      public: expect.stringContaining('is not closed: usage of 2026-02-28 and later may still grow'),
    })

    world.at('2026-03-02T03:00:00Z')
    // A batch whose lines were metered late, in a blob of the day after.
    await world.used([{ tenantId, at: '2026-02-28T12:00:00Z', costMicroUsd: 6_000 }], '2026-03-01T11:30:00Z')
    await world.tick()
    const { made, inputs } = await issued(world, tenantId, '2026-02')
    expect(made.lines).toMatchObject([{ kind: 'inference', alias: 'fast', quantity: 360, microUsd: 10_000 }])
    expect([made.totalMicroUsd, made.cost.totalMicroUsd, inputs.billedTo]).toEqual([10_000, 10_000, 'Contoso'])
  })

  it('is billed the same however often and by however many its timers run', async () => {
    const world = await february()
    const { tenantId } = world
    const scope = world.scopeOf(tenantId)
    world.at('2026-03-02T03:00:00Z')
    await world.rollUp.run()
    await Promise.all([world.bill(), world.bill(), world.bill()])
    const first = await issued(world, tenantId, '2026-02')
    world.at('2026-03-09T03:00:00Z')
    await world.tick()
    expect(await issued(world, tenantId, '2026-02')).toEqual(first)
    expect(await world.invoices.issue(scope, '2026-02')).toEqual(first)
    expect(await world.invoices.list(scope, { limit: 10 })).toEqual([first])
    expect(new Set(world.published.map(({ id }) => id))).toEqual(new Set([`invoice/${tenantId}/2026-02`]))
  })

  it('can be made again from what was kept with its invoice, to the byte; a row that was changed shows', async () => {
    const world = await february()
    const { tenantId } = world
    const scope = world.scopeOf(tenantId)
    world.at('2026-03-02T03:00:00Z')
    await world.tick()
    // Prices, plans and credits of later days are no part of it.
    await world.plans.set(scope, { from: '2026-03-01', plan: fee }, anyVersion)
    await enter(world, tenantId, { microUsd: 5 })
    const invoice = await issued(world, tenantId, '2026-02')
    expect(await world.invoices.verify(scope, invoice)).toEqual({ sameSheets: true, sameInvoice: true })

    const table = world.storage.table('billing')
    const row = await table.getEntity<{ json0: string }>(tenantId, 'day~2026-02-25')
    const json0 = row.json0.replace('"listMicroUsd":1500', '"listMicroUsd":1400')
    await table.updateEntity({ partitionKey: tenantId, rowKey: 'day~2026-02-25', json0 }, 'Replace')
    expect(await world.invoices.verify(scope, invoice)).toEqual({ sameSheets: false, sameInvoice: false })
  })

  it('in the future, or before the tenant was there, has no invoice', async () => {
    const world = await february()
    const read = (period: Period) => world.invoices.read(world.scopeOf(world.tenantId), period)
    expect(await read('2026-04')).toMatchObject({ code: 'not_found', public: 'The month 2026-04 has not begun.' })
    expect(await read('2025-12')).toMatchObject({
      code: 'not_found',
      public: 'Before 2026-01 the tenant was not there.',
    })
    const future = await world.invoices.issue(world.scopeOf(world.tenantId), '2026-04')
    expect(future).toMatchObject({ code: 'not_found' })
  })

  it('that is not over has a draft, with what was used up to now', async () => {
    const world = await february()
    const { tenantId } = world
    await world.tick()
    await world.used([{ tenantId, at: '2026-03-01T05:30:00Z', costMicroUsd: 900 }])
    expect(await shown(world, tenantId, '2026-03')).toMatchObject({
      kind: 'draft',
      countedTo: Date.parse('2026-03-01T06:00:00Z'),
      made: { totalMicroUsd: 900 },
    })
    // Its days are in part closed and in part not.
    expect(await shown(world, tenantId, '2026-02')).toMatchObject({ kind: 'draft', made: { totalMicroUsd: 4_000 } })
  })
})

describe('after an invoice is issued', () => {
  it('usage that comes to light goes on the next one, by the plan of its own month', async () => {
    const world = await february()
    const { tenantId } = world
    await world.plans.set(world.scopeOf(tenantId), { from: '2026-02-01', plan: fee }, anyVersion)
    await world.plans.set(world.scopeOf(tenantId), { from: '2026-03-01', plan: subscription(7 * USD) }, anyVersion)
    world.at('2026-03-02T03:00:00Z')
    await world.tick()
    const before = await issued(world, tenantId, '2026-02')
    expect(before.made.totalMicroUsd).toBe(21 * USD)

    // A blob that nobody could read for a while.
    await world.used([{ tenantId, at: '2026-02-20T10:00:00Z' }])
    world.at('2026-04-02T03:00:00Z')
    await rollUpFrom(world, '2026-02-01T00:00:00Z')
    await world.tick()
    expect(await issued(world, tenantId, '2026-02')).toEqual(before)
    expect(
      (await issued(world, tenantId, '2026-03')).made.lines.map(({ kind, microUsd }) => [kind, microUsd / USD]),
    ).toEqual([
      ['subscription', 7],
      ['correction', 1],
    ])
  })

  it('plans of its month are refused, and those of the next are not', async () => {
    const world = await february()
    const scope = world.scopeOf(world.tenantId)
    world.at('2026-03-02T03:00:00Z')
    await world.tick()
    const refused = await world.plans.set(scope, { from: '2026-02-28', plan: fee }, anyVersion)
    expect(refused).toMatchObject({
      code: 'invalid_request',
      public: expect.stringContaining('2026-02 has its invoice already'),
    })
    expect(await world.plans.read(scope)).toEqual({ plans: [], version: 0 })
    expect(await world.plans.set(scope, { from: '2026-03-01', plan: fee }, anyVersion)).toMatchObject({ version: 1 })
  })
})

describe('credits', () => {
  it('stand on one invoice each, and what they exceed it by is carried to the next', async () => {
    const world = await february()
    const { tenantId } = world
    const scope = world.scopeOf(tenantId)
    await world.plans.set(scope, { from: '2026-02-01', plan: fee }, anyVersion)
    await enter(world, tenantId, { microUsd: 30 * USD, period: '2026-01', reason: 'an outage' })
    world.at('2026-03-02T03:00:00Z')
    await world.tick()
    await enter(world, tenantId, { kind: 'charge', microUsd: 2 * USD })
    world.at('2026-04-02T03:00:00Z')
    await world.tick()
    const lines = async (period: Period) =>
      (await issued(world, tenantId, period)).made.lines.map(({ kind, microUsd }) => [kind, microUsd / USD])
    expect(await lines('2026-02')).toEqual([
      ['subscription', 20],
      ['overage', 1],
      ['credit', -30],
      ['carried-forward', 9],
    ])
    expect(await lines('2026-03')).toEqual([
      ['subscription', 20],
      ['charge', 2],
      ['carried-over', -9],
    ])
    expect(await world.credits.page(scope, { limit: 10 })).toMatchObject([
      { on: '2026-02', reason: 'an outage', by: 'an operator' },
      { on: '2026-03' },
    ])
  })

  it('are not given twice where whoever issued an invoice died right behind it', async () => {
    const world = await february()
    const { tenantId } = world
    const scope = world.scopeOf(tenantId)
    await enter(world, tenantId, { microUsd: 3_000 })
    world.at('2026-03-02T03:00:00Z')
    await world.rollUp.run()
    await world.bill()
    // As it is when the invoice was inserted and nothing after it was done.
    const table = world.storage.table('billing')
    for await (const { rowKey = '' } of table.listEntities({
      queryOptions: { filter: `PartitionKey eq '${tenantId}'` },
    })) {
      if (!rowKey.startsWith('credit~')) continue
      const { json0 } = await table.getEntity<{ json0: string }>(tenantId, rowKey)
      const { on: _, ...credit } = JSON.parse(json0)
      await table.updateEntity({ partitionKey: tenantId, rowKey, json0: JSON.stringify(credit) }, 'Replace')
    }
    await enter(world, tenantId, { microUsd: 500 })
    world.at('2026-04-02T03:00:00Z')
    await world.tick()
    const ofMarch = await issued(world, tenantId, '2026-03')
    expect(ofMarch.inputs.credits.map(({ microUsd }) => microUsd)).toEqual([500])
    expect((await world.credits.open(scope)).length).toBe(0)
  })
})

describe('a tenant that has gone', () => {
  it('gets a last invoice, to its last day and by its name', async () => {
    const world = await billingWorld('2026-02-07T12:00:00Z', { openDay: '2026-01-31' })
    const tenantId = world.newTenant('2026-01-10T00:00:00Z')
    await world.plans.set(world.scopeOf(tenantId), { from: '2026-01-01', plan: subscription(28 * USD) }, anyVersion)
    await world.tick()
    world.left.set(tenantId, Date.parse('2026-02-07T12:00:00Z'))
    world.names.delete(tenantId)
    world.at('2026-03-02T03:00:00Z')
    await world.tick()
    const { made, inputs } = await issued(world, tenantId, '2026-02')
    expect(inputs).toMatchObject({ billedTo: 'Contoso', served: { from: '2026-02-01', to: '2026-02-08' } })
    expect(made.lines[0]).toMatchObject({ kind: 'subscription', microUsd: 7 * USD })
    world.at('2026-04-02T03:00:00Z')
    await world.tick()
    expect(await world.rows.invoice(world.scopeOf(tenantId), '2026-03')).toBeUndefined()
    const after = await world.invoices.read(world.scopeOf(tenantId), '2026-03')
    expect(after).toMatchObject({ code: 'not_found', public: 'The tenant left in 2026-02.' })
  })
})

describe('what was billed', () => {
  it('is kept for ten years after its year, and then goes with all that showed how it came to be', async () => {
    const world = await february()
    const { tenantId } = world
    const scope = world.scopeOf(tenantId)
    await world.plans.set(scope, { from: '2026-02-01', plan: fee }, anyVersion)
    await enter(world, tenantId, { microUsd: 1 })
    world.at('2026-03-02T03:00:00Z')
    await world.tick()
    world.at('2036-12-31T23:00:00Z')
    await world.removeOld()
    expect(await world.invoices.list(scope, { limit: 10 })).toHaveLength(1)
    world.at('2037-01-01T00:00:00Z')
    await world.removeOld()
    await world.removeOld()
    expect(await world.storage.rowsInPartition('billing', tenantId)).toBe(0)
    expect(await world.summaries.page('2026-02', { limit: 10 })).toEqual({ invoices: [], next: undefined })
  })
})

describe('operators', () => {
  it('are told when billing is behind, and when it is not any more', async () => {
    const world = await february()
    const usage = world.parts.tenantsWithUsage
    const broken = assembleBilling({
      ...world.parts,
      tenantsWithUsage: async function* (span) {
        yield* usage(span)
        throw new Error('the usage cannot be read')
      },
    })
    world.at('2026-03-05T12:00:00Z')
    await world.rollUp.run()
    await expect(broken.timers['bill-tenants']()).rejects.toThrow('the usage cannot be read')
    expect(await world.parts.alerts.get('billing-behind')).toMatchObject({
      state: 'open',
      evidence: { openDay: '2026-02-25', openPeriod: '2026-02' },
    })
    await world.tick()
    expect(await world.parts.alerts.get('billing-behind')).toMatchObject({ state: 'resolved' })
    expect((await issued(world, world.tenantId, '2026-02')).made.totalMicroUsd).toBe(4_000)
  })
})

/** As when the roll-up is told to look at old hours again. */
async function rollUpFrom(world: BillingWorld, time: string): Promise<void> {
  const table = world.storage.table('usageblobs')
  const hourStartMs = String(Date.parse(time))
  await table.updateEntity({ partitionKey: 'platform', rowKey: 'rolled-up', hourStartMs }, 'Replace')
  await world.rollUp.run()
}
