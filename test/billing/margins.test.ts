import type { BackendId, TenantId } from '../../src/base/ids'
import { planInput } from '../../src/billing/plan'
import type { Backend } from '../../src/routing/backend'
import { billingWorld, USD, type BilledCall } from './billing-world'

const anyVersion = () => true
const backendId: BackendId = `bke_${'1'.repeat(26)}`
const ownId: BackendId = `bke_${'2'.repeat(26)}`
const aBackend: Backend = {
  id: backendId,
  name: 'sweden ptu',
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: 'https://sweden.openai.azure.com',
  deployment: 'ptu',
  credential: { kind: 'identity' },
  region: 'swedencentral',
  capacity: 'ptu',
  enabled: true,
}
const hourPrice = {
  kind: 'provisioned',
  backendId,
  price: { kind: 'per-hour', microUsd: 1 * USD },
  from: '2026-03-01',
  asOf: '2026-03-01',
  source: 'a contract',
} as const

/** Two days of March with an hour of provisioned throughput that two tenants used, and an account of one's own. */
async function march() {
  const world = await billingWorld('2026-03-02T00:00:00Z', { openDay: '2026-03-01' })
  const [a, b, c] = ['2026-01-01', '2026-01-02', '2026-01-03'].map((day) =>
    world.newTenant(`${day}T00:00:00Z`, day),
  ) as [TenantId, TenantId, TenantId]
  world.backends.set(backendId, aBackend)
  world.backends.set(ownId, {
    ...aBackend,
    id: ownId,
    ownerTenantId: c,
    credential: { kind: 'tenant-secret', name: 'key' },
  })
  await world.prices.replace([hourPrice], anyVersion)
  const call = (tenantId: TenantId, more: Partial<BilledCall>): BilledCall => ({
    tenantId,
    at: '2026-03-01T10:10:00Z',
    costMicroUsd: 100_000,
    ...more,
  })
  const usage = (promptTokens: number) => ({
    usage: { promptTokens, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
  })
  await world.used([
    call(a, { backendId, ...usage(300) }),
    call(b, { backendId, ...usage(100) }),
    call(b, {}),
    call(c, { backendId: ownId }),
    call(c, { outcome: 'failed' }),
  ])
  world.at('2026-03-03T06:00:00Z')
  await world.tick()
  return { ...world, a, b, c }
}

describe('margins', () => {
  it('set what a tenant brings against what it costs, with its share of provisioned throughput', async () => {
    const { margins, a, b, c } = await march()
    const page = await margins.page('2026-03', { limit: 10, unprofitable: false })
    expect(page.next).toBeUndefined()
    expect(
      page.margins.map(({ tenantId, revenueMicroUsd, cost, marginMicroUsd, isUnprofitable }) => [
        tenantId,
        revenueMicroUsd,
        cost.callsMicroUsd,
        cost.provisionedMicroUsd,
        marginMicroUsd,
        isUnprofitable,
      ]),
    ).toEqual([
      [a, 100_000, 0, 750_000, -650_000, true],
      [b, 200_000, 100_000, 250_000, -150_000, true],
      // Its own account costs the platform nothing; what failed there is not known to have.
      [c, 0, 100_000, 0, -100_000, true],
    ])
    expect(await margins.idleMicroUsd('2026-03')).toBe(23 * USD)
  })

  it('can be had of the unprofitable alone, and page by page', async () => {
    const { margins, plans, scopeOf, a, b, c } = await march()
    await plans.set(
      scopeOf(b),
      { from: '2026-03-01', plan: planInput.parse({ kind: 'per-token', markUpBasisPoints: 50_000 }) },
      anyVersion,
    )
    const ids = async (page: Parameters<typeof margins.page>[1]) => {
      const { margins: shown, next } = await margins.page('2026-03', page)
      return [shown.map(({ tenantId }) => tenantId), next]
    }
    expect(await ids({ limit: 10, unprofitable: true })).toEqual([[a, c], undefined])
    expect(await ids({ limit: 1, unprofitable: true })).toEqual([[a], a])
    expect(await ids({ limit: 1, unprofitable: true, after: a })).toEqual([[c], undefined])
    expect(await ids({ limit: 2, unprofitable: false })).toEqual([[a, b], b])
    expect(await ids({ limit: 2, unprofitable: false, after: b })).toEqual([[c], undefined])
  })

  it('of an issued month are those of its invoices, and stay so', async () => {
    const world = await march()
    const { margins, a, at, tick } = world
    at('2026-04-02T06:00:00Z')
    await tick()
    const { margins: issued } = await margins.page('2026-03', { limit: 10, unprofitable: false })
    expect(issued.map(({ isIssued }) => isIssued)).toEqual([true, true, true])
    world.names.clear()
    expect((await margins.page('2026-03', { limit: 10, unprofitable: false })).margins).toEqual(issued)
    expect(await world.summaries.page('2026-03', { limit: 1 })).toMatchObject({
      invoices: [{ tenantId: a, billedTo: '2026-01-01', cost: { provisionedMicroUsd: 750_000 } }],
      next: a,
    })
  })
})

describe('a backend that is gone when its calls are billed', () => {
  it('is known to have been at an account of the tenant’s own', async () => {
    const world = await billingWorld('2026-03-02T00:00:00Z', { openDay: '2026-03-01' })
    const tenantId = world.newTenant('2026-01-01T00:00:00Z')
    world.backends.set(ownId, { ...aBackend, id: ownId, ownerTenantId: tenantId })
    await world.used([{ tenantId, at: '2026-03-01T10:00:00Z', backendId: ownId, costMicroUsd: 500 }])
    await world.tick()
    world.backends.clear()
    world.at('2026-03-04T00:00:00Z')
    await world.tick()
    const [sheet] = await world.rows.sheets(world.scopeOf(tenantId), { from: '2026-03-01', to: '2026-03-02' })
    expect(sheet?.items).toMatchObject([{ placement: 'own-account', costMicroUsd: 500 }])
  })
})

describe('what tenants hold', () => {
  it('is measured once a day, and billed by the day', async () => {
    const world = await billingWorld('2026-03-30T10:00:00Z', { openDay: '2026-03-01' })
    const tenantId = world.newTenant('2026-01-01T00:00:00Z')
    const scope = world.scopeOf(tenantId)
    await world.prices.replace(
      [{ kind: 'storage', microUsdPerGibMonth: 31_000, from: '2026-03-01', asOf: '2026-03-01', source: 'ours' }],
      anyVersion,
    )
    const shelf = (bytes: number) =>
      world.storage.table('files').upsertEntity(
        {
          partitionKey: tenantId,
          rowKey: 'shelf',
          json0: JSON.stringify({ files: 1, bytes, underWay: {}, added: 1 }),
        },
        'Replace',
      )
    await shelf(2 * 1_073_741_824)
    await world.measure()
    await shelf(5)
    await world.measure()
    world.at('2026-03-31T10:00:00Z')
    await shelf(1_073_741_824)
    await world.tick()
    const { inputs } = await (async () => {
      const shown = await world.invoices.read(scope, '2026-03')
      if (!('inputs' in shown)) throw new Error('the month is not issued yet')
      return shown
    })()
    expect(inputs.storage).toEqual([
      { day: '2026-03-30', bytes: 2 * 1_073_741_824 },
      { day: '2026-03-31', bytes: 1_073_741_824 },
    ])
    world.at('2026-04-02T10:00:00Z')
    world.names.clear()
    await world.tick()
    expect((await world.rows.invoice(scope, '2026-03'))?.made).toMatchObject({
      totalMicroUsd: 3_000,
      cost: { storageMicroUsd: 3_000 },
    })
  })
})
