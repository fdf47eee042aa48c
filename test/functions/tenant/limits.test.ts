import { createIdMaker, type KeyId, type TenantId } from '../../../src/base/ids'
import { systemChance } from '../../../src/base/chance'
import { budgetsIn, createBudgetKeeper } from '../../../src/budgets/create-budget-keeper'
import type { LimitsReport } from '../../../src/budgets/limits-report'
import { createLimiter } from '../../../src/limits/create-limiter'
import { chatAlias, createBackend, createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { controlPlaneStorage } from '../wire-control-plane'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'
import { handClock } from '../../harness/hand-clock'
import { freshStorage } from '../../harness/storage'

const storage = freshStorage()
const clock = handClock(Date.UTC(2026, 4, 12, 9, 30))
const log = { info: () => {}, warn: () => {}, error: () => {} }
let server: ControlPlaneServer
let tenantId: TenantId
let apiKey: string
let keyId: KeyId

beforeAll(async () => {
  await storage.ensure(controlPlaneStorage)
  server = await serveControlPlane({ storage, clock })
  const backendId = await createBackend(server)
  const made = await createTenant(server, {
    aliases: [{ ...chatAlias(backendId), limits: { requestsPerMinute: 7 }, budgets: { tokensPerDay: { limit: 900 } } }],
    budgetOverrides: { tokensPerDay: { limit: 10_000 }, microUsdPerMonth: { limit: 5_000_000, stop: false } },
  })
  tenantId = made.tenantId as TenantId
  apiKey = made.apiKey
  const key = await createKey(server, apiKey, { budgets: { tokensPerMonth: { limit: 500 } } })
  keyId = key.keyId as KeyId
})
afterAll(() => server.close())

/** One call's worth, as an instance of the data path spends it. */
async function spend(): Promise<() => Promise<void>> {
  const chance = systemChance()
  const deps = { clock, chance, log, instanceId: createIdMaker({ clock, chance }).instanceId() }
  const limiter = createLimiter({ storage, ...deps })
  const warnings = { look: () => {}, refused: () => {}, unpriced: () => {} }
  const spentByLog = async () => ({ tokens: 0, microUsd: 0 })
  const keeper = createBudgetKeeper({ store: budgetsIn(storage), spentByLog, warnings, ...deps })
  const limits = { requestsPerMinute: 600, tokensPerMinute: 100_000, concurrentCalls: 50 }
  const alias = { name: 'chat', limits: { requestsPerMinute: 7 } }
  const admitted = await limiter.admit({ tenantId, limits, key: undefined, alias, tokens: 100 })
  const reserved = await keeper.reserve({
    tenantId,
    subjects: [
      { subject: { kind: 'tenant' }, budgets: { tokensPerDay: { limit: 10_000, stop: true } } },
      { subject: { kind: 'key', keyId }, budgets: { tokensPerMonth: { limit: 500, stop: true } } },
    ],
    warnPercents: [],
    cost: { tokens: 100, microUsd: 40 },
  })
  if (admitted.kind !== 'admitted' || reserved.kind !== 'reserved') throw new Error('the call should be let through')
  return async () => {
    reserved.reservation.settle({ tokens: 80, microUsd: 30 })
    admitted.admission.settle(80)
    await Promise.all([limiter.close(), keeper.close()])
  }
}

describe('a tenant’s limits', () => {
  it('show each limit and budget of it, its keys and its aliases, whole before the first call', async () => {
    const { body } = expectStatus(await server.send('GET', '/api/tenant/limits', { apiKey }), 200)
    expect(body.asOf).toBe('2026-05-12T09:30:00.000Z')
    expect(body.limits).toContainEqual({
      of: 'alias',
      alias: 'chat',
      name: 'requestsPerMinute',
      limit: 7,
      used: 0,
      reserved: 0,
      remaining: 7,
    })
    expect(body.limits.filter(({ of }: { of: string }) => of === 'tenant')).toHaveLength(3)
    const whole = { used: 0, reserved: 0 }
    const [midnight, first] = ['2026-05-13T00:00:00.000Z', '2026-06-01T00:00:00.000Z']
    expect(body.budgets).toEqual([
      {
        of: 'tenant',
        name: 'tokensPerDay',
        limit: 10_000,
        stop: true,
        ...whole,
        remaining: 10_000,
        renewsAt: midnight,
      },
      {
        of: 'tenant',
        name: 'microUsdPerMonth',
        limit: 5_000_000,
        stop: false,
        ...whole,
        remaining: 5_000_000,
        renewsAt: first,
      },
      { of: 'key', keyId, name: 'tokensPerMonth', limit: 500, stop: true, ...whole, remaining: 500, renewsAt: first },
      {
        of: 'alias',
        alias: 'chat',
        name: 'tokensPerDay',
        limit: 900,
        stop: true,
        ...whole,
        remaining: 900,
        renewsAt: midnight,
      },
    ])
  })

  it('show what calls under way reserve and what those that have ended used, to tenants and operators alike', async () => {
    const end = await spend()
    const during = expectStatus(await server.send('GET', '/api/tenant/limits', { apiKey }), 200).body
    const budgetOf = ({ budgets }: LimitsReport, of: string) => budgets.find((budget) => budget.of === of)
    expect(budgetOf(during, 'key')).toMatchObject({ used: 0 })
    expect(budgetOf(during, 'key')?.reserved).toBeGreaterThanOrEqual(100)
    await end()

    const after = expectStatus(await server.operate('GET', `/api/platform/tenants/${tenantId}/limits`), 200).body
    expect(budgetOf(after, 'key')).toMatchObject({ used: 80, reserved: 0, remaining: 420 })
    expect(after.budgets[0]).toMatchObject({ used: 80, reserved: 0, remaining: 9_920 })
    expect(after.budgets[1]).toMatchObject({ name: 'microUsdPerMonth', used: 30, remaining: 4_999_970 })
    expect(after.limits[0]).toMatchObject({ name: 'requestsPerMinute', used: 1, remaining: 599 })
    expect(Date.parse(after.limits[0].renewsAt)).toBeGreaterThan(clock.now())
    expect(after.limits.find(({ of }: { of: string }) => of === 'alias')).toMatchObject({ used: 1, remaining: 6 })
  })

  it('are the tenant’s own: another tenant’s key shows that one’s, and a key without the permission none', async () => {
    const other = await createTenant(server)
    const { body } = expectStatus(await server.send('GET', '/api/tenant/limits', { apiKey: other.apiKey }), 200)
    expect(body.budgets).toEqual([])
    const inference = await createKey(server, apiKey, { scopes: ['inference'] })
    expectStatus(await server.send('GET', '/api/tenant/limits', { apiKey: inference.apiKey }), 403)
    expectStatus(await server.operate('GET', `/api/platform/tenants/ten_${'1'.repeat(26)}/limits`), 404)
  })

  it('take no query', async () => {
    expectStatus(await server.send('GET', '/api/tenant/limits?of=key', { apiKey }), 400)
  })
})
