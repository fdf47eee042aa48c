import { poolsOf } from '../../src/neighbours/pools'
import { measureNow, measureOf, type Measure } from '../../src/tenants/measure'
import type { BackendGroup, ModelAlias } from '../../src/tenants/snapshot'
import { startMovedPlatform, type MovedPlatform, type MovedTenant } from './moved-platform'
import { startSharedBackend, type SharedBackend } from './shared-backend'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const groupOf = (...ids: `bke_${string}`[]): BackendGroup => ({
  members: ids.map((backendId) => ({ backendId, weight: 1 })),
})
const aliasOf = (name: string, ...groups: BackendGroup[]): ModelAlias => ({
  name,
  model: 'gpt-4.1-mini',
  capabilities: ['chat'],
  groups,
  outputTokensMax: 100,
  outputTokensField: 'max_tokens',
})
const place = { poolId: 'bke_a', backendIds: ['bke_a', 'bke_b'], untilMs: 100 } as const
const lower: Measure = { kind: 'lower-weight', weightShare: 0.5, ...place }

describe('a measure', () => {
  it('holds for aliases that lead to its backends in any group, and for no others', () => {
    expect(measureOf(aliasOf('first', groupOf('bke_a')), [lower])).toBe(lower)
    expect(measureOf(aliasOf('second', groupOf('bke_c'), groupOf('bke_b')), [lower])).toBe(lower)
    expect(measureOf(aliasOf('other', groupOf('bke_c')), [lower])).toBeUndefined()
  })

  it('is the strictest where there are several', () => {
    const quarantine: Measure = { kind: 'quarantine', ...place }
    expect(measureOf(aliasOf('first', groupOf('bke_a')), [lower, quarantine])).toBe(quarantine)
  })

  it('ends at its time', () => {
    expect(measureNow({ measure: lower }, 99)).toBe(lower)
    expect(measureNow({ measure: lower }, 100)).toBeUndefined()
  })
})

describe('pools', () => {
  const of = (...aliases: ModelAlias[]) =>
    poolsOf({ aliases: Object.fromEntries(aliases.map((alias) => [alias.name, alias])) }).map((pool) => pool.backendIds)

  it('are what aliases lead to together, whatever group and order, so that spilling over stays within one', () => {
    const spilling = aliasOf('spilling', groupOf('bke_c'), groupOf('bke_a'))
    const bridge = aliasOf('bridge', groupOf('bke_b', 'bke_c'))
    expect(of(spilling, aliasOf('apart', groupOf('bke_d')), bridge)).toEqual([['bke_a', 'bke_b', 'bke_c'], ['bke_d']])
  })

  it('are none where an alias leads nowhere', () => {
    expect(of(aliasOf('empty'))).toEqual([])
  })
})

describe('calls of a tenant that is held back', () => {
  let app: MovedPlatform
  let backend: SharedBackend
  let tenant: MovedTenant
  let poolId: `bke_${string}`
  beforeAll(async () => {
    // Storage knows the time, and takes no signature that has expired.
    app = await startMovedPlatform(Math.floor(Date.now() / HOUR_MS + 1) * HOUR_MS)
    backend = await startSharedBackend(app, { atOnce: 4, callMs: 0, promptTokens: 100, outputTokens: 5_900 })
    poolId = await app.makeBackend(backend.url)
    tenant = await app.makeTenant(poolId)
  })
  afterAll(async () => {
    await app.stop()
    await backend.close()
  })

  const hold = (measure: Measure | undefined) =>
    app.platform.controlPlane.tenants.setMeasure(tenant.scope, poolId, measure)
  const here = () => ({ poolId, backendIds: [poolId], untilMs: app.clock.now() + 1.5 * MINUTE_MS })
  const call = async () => {
    let answer: Awaited<ReturnType<MovedTenant['chat']>> | undefined
    const sent = tenant.chat(5_900).then((got) => (answer = got))
    await app.run(5 * MINUTE_MS, () => answer !== undefined)
    return sent
  }

  it('are refused until their quarantine ends, and admitted behind it without anybody undoing it', async () => {
    expect((await call()).status).toBe(200)
    await hold({ kind: 'quarantine', ...here() })
    const refused = await call()
    expect(refused).toMatchObject({ status: 429, code: 'quarantined' })
    // Clients believe no longer wait than a minute; the message says the whole.
    expect(refused.retryAfterMs).toBe(MINUTE_MS)
    await app.run(refused.retryAfterMs)
    expect((await call()).status).toBe(429)
    await app.run(MINUTE_MS)
    expect((await call()).status).toBe(200)
  })

  it('are admitted up to what a throttle leaves, and as before when it is undone', async () => {
    await hold({ kind: 'throttle', weightShare: 1, tokensPerMinute: 10_000, ...here() })
    expect((await call()).status).toBe(200)
    const refused = await call()
    expect(refused).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
    expect(refused.retryAfterMs).toBeGreaterThan(0)
    await hold(undefined)
    expect((await call()).status).toBe(200)
  })
})
