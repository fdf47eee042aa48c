import { Problem } from '../../src/base/problem'
import type { TenantId } from '../../src/base/ids'
import { assembleBilling } from '../../src/billing/assemble-billing'
import type { Period } from '../../src/billing/calendar'
import { creditInput } from '../../src/billing/credit'
import { retryAfterMs } from '../../src/billing/overdue-invoices'
import { planInput } from '../../src/billing/plan'
import { billingWorld, HOUR, USD, type BillingWorld } from './billing-world'

const anyVersion = () => true
const fee = planInput.parse({
  kind: 'subscription',
  microUsdPerMonth: 20 * USD,
  quota: { kind: 'requests', included: 1, microUsdPerRequest: USD },
})

/** Two tenants in February; the record of one cannot be read from then on, until it is mended. */
async function oneFails() {
  const world = await billingWorld('2026-02-28T12:00:00Z', { openDay: '2026-02-28' })
  const [failing, sound] = [world.newTenant('2026-02-10T00:00:00Z'), world.newTenant('2026-02-11T00:00:00Z')]
  for (const tenantId of [failing, sound])
    await world.plans.set(world.scopeOf(tenantId), { from: '2026-02-01', plan: fee }, anyVersion)
  let isMended = false
  let attempts = 0
  const { timers, billing } = assembleBilling({
    ...world.parts,
    tenants: {
      get: async (scope) => {
        if (scope.tenantId === failing) attempts += 1
        if (scope.tenantId === failing && !isMended) throw new Error('the record cannot be read')
        return world.parts.tenants.get(scope)
      },
    },
  })
  const billAt = async (time: string | number) => {
    world.at(new Date(time).toISOString())
    await world.rollUp.run()
    await timers['bill-tenants']()
  }
  return {
    ...world,
    failing,
    sound,
    billAt,
    byHand: billing.invoices,
    bill: timers['bill-tenants'],
    mend: () => void (isMended = true),
    attempts: () => attempts,
    alert: () => world.parts.alerts.get('invoices-overdue'),
  }
}

const monthsOf = async (world: BillingWorld, tenantId: TenantId): Promise<Period[]> =>
  (await world.invoices.list(world.scopeOf(tenantId), { limit: 10 })).map(({ inputs }) => inputs.period)

describe('a tenant whose invoice fails', () => {
  it('holds up nobody’s following months, and gets each of its own once, in order, when it is mended', async () => {
    const world = await oneFails()
    const { failing, sound } = world
    await world.credits.enter(world.scopeOf(failing), {
      id: world.billing.newCreditId(),
      ...creditInput.parse({ kind: 'credit', reason: 'agreed', microUsd: 25 * USD }),
      by: 'an operator',
      createdAt: world.clock.now(),
    })
    await world.billAt('2026-03-02T03:00:00Z')
    await world.billAt('2026-04-02T03:00:00Z')
    expect(await monthsOf(world, sound)).toEqual(['2026-02', '2026-03'])
    expect(await monthsOf(world, failing)).toEqual([])

    world.mend()
    world.clock.nowMs += 12 * HOUR
    await Promise.all([world.bill(), world.bill(), world.bill()])
    expect(await monthsOf(world, failing)).toEqual(['2026-02', '2026-03'])
    const [february, march] = await world.invoices.list(world.scopeOf(failing), { limit: 10 })
    const ofFebruary = Math.floor((20 * USD * 19) / 28 + 0.5)
    expect(february?.made.carriedForwardMicroUsd).toBe(25 * USD - ofFebruary)
    expect(march?.made.totalMicroUsd).toBe(20 * USD - (25 * USD - ofFebruary))
    const told = (tenantId: TenantId) => ['2026-02', '2026-03'].map((period) => `invoice/${tenantId}/${period}`)
    expect(new Set(world.published.map(({ id }) => id))).toEqual(new Set([...told(failing), ...told(sound)]))
    for (const period of ['2026-02', '2026-03'] as const)
      expect((await world.summaries.page(period, { limit: 10 })).invoices).toHaveLength(2)
    // Nothing is left to try.
    const tried = world.attempts()
    await world.billAt('2026-04-09T03:00:00Z')
    expect(world.attempts()).toBe(tried)
  })

  it('is tried again by the next run and less often after each failure, twice a day at the least', async () => {
    const world = await oneFails()
    const since = Date.parse('2026-03-02T03:00:00Z')
    await world.billAt(since)
    const triedAt = []
    for (let hour = 1; hour <= 27; hour++) {
      const before = world.attempts()
      await world.billAt(since + hour * HOUR)
      if (world.attempts() > before) triedAt.push(hour)
    }
    expect(triedAt).toEqual([1, 3, 7, 14, 26])
    expect(retryAfterMs(1_000)).toBe(12 * HOUR)
  })

  it('is named by an alert from its second failure on, until it is mended', async () => {
    const world = await oneFails()
    await world.billAt('2026-03-02T03:00:00Z')
    expect(await world.alert()).toBeUndefined()
    await world.billAt('2026-03-02T04:00:00Z')
    expect(await world.alert()).toMatchObject({
      state: 'open',
      kind: 'invoice-overdue',
      detail: expect.stringContaining(`${world.failing} (2026-02)`),
      evidence: { count: 1, tenantIds: [world.failing] },
    })
    // It is the tenant’s own trouble: billing is not behind.
    await world.billAt('2026-03-12T03:00:00Z')
    expect(await world.parts.alerts.get('billing-behind')).toBeUndefined()
    world.mend()
    await world.billAt('2026-03-13T03:00:00Z')
    expect(await world.alert()).toMatchObject({ state: 'resolved' })
  })

  it('is forgotten by the next run where somebody has issued its invoice by hand', async () => {
    const world = await oneFails()
    await world.billAt('2026-03-02T03:00:00Z')
    await world.billAt('2026-03-02T04:00:00Z')
    world.mend()
    expect(await world.byHand.issue(world.scopeOf(world.failing), '2026-02')).not.toBeInstanceOf(Problem)
    await world.billAt('2026-03-02T05:00:00Z')
    expect(await world.alert()).toMatchObject({ state: 'resolved' })
    expect(await monthsOf(world, world.failing)).toEqual(['2026-02'])
  })

  it('gets its last invoice, and none behind it, although it left before it was mended', async () => {
    const world = await oneFails()
    await world.billAt('2026-03-02T03:00:00Z')
    await world.billAt('2026-04-02T03:00:00Z')
    world.left.set(world.failing, Date.parse('2026-02-20T12:00:00Z'))
    world.names.delete(world.failing)
    world.mend()
    await world.billAt('2026-04-02T15:00:00Z')
    const invoices = await world.invoices.list(world.scopeOf(world.failing), { limit: 10 })
    expect(invoices.map(({ inputs }) => [inputs.period, inputs.served.to])).toEqual([['2026-02', '2026-02-21']])
    expect(await world.storage.platformRowsUnder('billing', 'overdue~')).toBe(0)
  })
})

it('a day that cannot be closed is told with the tenant whose usage fails', async () => {
  const world = await billingWorld('2026-03-02T03:00:00Z', { openDay: '2026-02-28' })
  const tenantId = world.newTenant('2026-02-10T00:00:00Z')
  await world.used([{ tenantId, at: '2026-02-28T10:00:00Z' }])
  await world.rollUp.run()
  const errors: unknown[] = []
  const { timers } = assembleBilling({
    ...world.parts,
    usage: {
      read: () => {
        throw new Error('the usage cannot be read')
      },
    },
    log: { ...world.parts.log, error: (_message, fields) => void errors.push(fields) },
  })
  await expect(timers['bill-tenants']()).rejects.toThrow('the usage cannot be read')
  expect(errors).toMatchObject([{ tenantId, day: '2026-02-28' }])
})
