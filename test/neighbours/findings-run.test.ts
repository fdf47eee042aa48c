import { createAlerts } from '../../src/alerts/alerts'
import { createAuditLog } from '../../src/audit/create-audit-log'
import { systemChance } from '../../src/base/chance'
import { createIdMaker, type TenantId } from '../../src/base/ids'
import { createFindingsRun, SHOWN_MS, type FindingsDeps } from '../../src/neighbours/findings-run'
import type { Found, Verdict } from '../../src/neighbours/find-noisy-neighbours'
import { MEASURE_MS } from '../../src/neighbours/carry-out'
import { createNeighbourStore } from '../../src/neighbours/neighbour-store'
import { createNoisyNeighbours } from '../../src/neighbours/noisy-neighbours'
import { defaultPolicy } from '../../src/neighbours/noisy-policy'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { compileSnapshot } from '../../src/tenants/compile-snapshot'
import type { Measure } from '../../src/tenants/measure'
import type { TenantRecord } from '../../src/tenants/tenant-record'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { evidenceFor } from './evidence'

const MINUTE_MS = 60_000
const poolId = 'bke_shared'

async function world() {
  const storage = freshStorage()
  await storage.ensure({ tables: ['neighbours', 'alerts', 'audit'] })
  const clock = handClock()
  const chance = systemChance()
  const ids = createIdMaker({ clock, chance })
  const [culprit, victim] = [ids.tenantId(), ids.tenantId()]
  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance,
  })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const measures = new Map<string, Measure>()
  const recordOf = (tenantId: TenantId): TenantRecord => ({
    tenantId,
    version: 1,
    state: 'active',
    displayName: 'A tenant',
    contact: { email: 'a@tenant.example' },
    tier: 'standard',
    region: 'local',
    residency: [],
    isolation: { models: 'shared', data: 'logical' },
    aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId: poolId, weight: 1 }] }] }],
    limitOverrides: {},
    settings: { hidePromptFilterChunk: false },
    createdAt: 0,
    updatedAt: 0,
  })
  const store = createNeighbourStore(storage)
  const deps: FindingsDeps = {
    store,
    tenants: {
      setMeasure: async ({ tenantId }, _poolId, measure) => {
        if (measure) measures.set(tenantId, measure)
        else measures.delete(tenantId)
        return recordOf(tenantId)
      },
    },
    alerts,
    audit,
    tenantOf: (tenantId) => compileSnapshot(recordOf(tenantId)),
    clock,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  }
  const evidence = evidenceFor({
    victims: [
      {
        tenantId: victim,
        backendId: poolId,
        calls: 40,
        impaired: 30,
        p95Ms: 9_000,
        usualP95Ms: 1_000,
        lost: 0,
        throttled: 0,
        queuedMs: 0,
      },
    ],
  })
  const noisy: Verdict = { kind: 'noisy', evidence }
  let minute = 0
  const look = async (verdict: Verdict | undefined, using: FindingsDeps = deps) => {
    const found: Found[] = verdict ? [{ tenantId: culprit, poolId, verdict }] : []
    return (await createFindingsRun(using, minute * MINUTE_MS)).decide(found)
  }
  const pass = async (minutes: number) => {
    minute += minutes
    await clock.advance(minutes * MINUTE_MS)
  }
  const finding = async () => {
    for await (const { finding } of store.findings()) return finding
    return undefined
  }
  return {
    deps,
    store,
    storage,
    clock,
    culprit,
    victim,
    noisy,
    measures,
    look,
    pass,
    finding,
    rung: async () => (await finding())?.ladder?.rung,
    entries: (tenantId: TenantId) => audit.page(TenantScope.ofPlatform(tenantId), { after: 0, limit: 100 }),
    alert: () => alerts.get(`noisy-neighbour/${culprit}/${poolId}`),
    operators: createNoisyNeighbours({
      ...deps,
      tenants: { ...deps.tenants, get: async (scope) => recordOf(scope.tenantId) },
    }),
  }
}

/** A look each minute. */
async function looks(of: Awaited<ReturnType<typeof world>>, verdict: Verdict | undefined, minutes: number) {
  for (let i = 0; i < minutes; i++) {
    await of.pass(1)
    await of.look(verdict)
  }
}

describe('two runs at a time', () => {
  it('find one tenant once, take one measure and write each change once', async () => {
    const it = await world()
    for (let minute = 0; minute < 12; minute++) {
      await it.pass(1)
      await Promise.allSettled([it.look(it.noisy), it.look(it.noisy)])
    }
    expect(await it.rung()).toBe('throttle')
    const to = (await it.entries(it.culprit)).map(({ details }) => details?.['to'])
    expect(to).toEqual(['notify', 'lower-weight', 'throttle'])
    expect((await it.entries(it.victim)).map(({ action }) => action)).toEqual(['neighbours.affected'])
    expect((await it.alert())?.episode).toBe(1)
  })
})

describe('a run that breaks off', () => {
  it.each(['tenants', 'alerts', 'audit'] as const)(
    'while it does what was decided (%s) is finished by the next, once',
    async (where) => {
      const it = await world()
      await looks(it, it.noisy, 3)
      const broken = async () => {
        throw new Error('storage is away')
      }
      const breaks = {
        tenants: { tenants: { setMeasure: broken } },
        alerts: { alerts: { raise: broken, mitigate: broken, resolve: broken } },
        audit: { audit: { ...it.deps.audit, append: broken } },
      }
      await it.pass(1)
      await it.look(it.noisy, { ...it.deps, ...breaks[where] })
      expect((await it.finding())?.due).toMatchObject({ from: 'notify', to: 'lower-weight' })
      await it.pass(1)
      await it.look(it.noisy)
      expect(await it.finding()).toMatchObject({ ladder: { rung: 'lower-weight' } })
      expect((await it.finding())?.due).toBeUndefined()
      expect(it.measures.get(it.culprit)).toMatchObject({ kind: 'lower-weight', weightShare: 0.25 })
      const to = (await it.entries(it.culprit)).map(({ details }) => details?.['to'])
      expect(to).toEqual(['notify', 'lower-weight'])
    },
  )
})

describe('a measure', () => {
  it('is renewed while it is needed, and ends by itself when the timer stops', async () => {
    const it = await world()
    const pressing: Verdict = { ...it.noisy, kind: 'pressing', harms: false }
    await looks(it, it.noisy, 4)
    const first = it.measures.get(it.culprit)?.untilMs ?? 0
    expect(first).toBe(it.clock.now() + MEASURE_MS)
    await looks(it, pressing, 45)
    const renewed = it.measures.get(it.culprit)?.untilMs ?? 0
    expect(renewed).toBeGreaterThan(first)
    expect(renewed - it.clock.now()).toBeLessThanOrEqual(MEASURE_MS)
    expect((await it.entries(it.culprit)).length).toBe(2)
  })

  it('throttles to what the tenant is entitled to, fixed when it is taken', async () => {
    const it = await world()
    await looks(it, it.noisy, 9)
    expect(it.measures.get(it.culprit)).toMatchObject({ kind: 'throttle', tokensPerMinute: 50_000 })
    await looks(it, { kind: 'pressing', harms: true, evidence: evidenceFor({ entitled: 1_000 }) }, 2)
    expect(it.measures.get(it.culprit)).toMatchObject({ kind: 'throttle', tokensPerMinute: 50_000 })
  })
})

describe('what tenants learn', () => {
  it('names no other tenant, and what operators learn names all', async () => {
    const it = await world()
    await looks(it, it.noisy, 10)
    await looks(it, undefined, 60)
    const [own, others] = [await it.entries(it.culprit), await it.entries(it.victim)]
    expect(own.map(({ details }) => details?.['to'])).toEqual([
      'notify',
      'lower-weight',
      'throttle',
      'lower-weight',
      'notify',
      'none',
    ])
    expect(others.map(({ action }) => action)).toEqual(['neighbours.affected', 'neighbours.recovered'])
    expect(JSON.stringify(own)).not.toContain(it.victim)
    expect(JSON.stringify(others)).not.toContain(it.culprit)
    expect(JSON.stringify(others)).not.toContain(poolId)
    const alert = await it.alert()
    expect(alert).toMatchObject({ state: 'resolved', tenantId: it.culprit, episode: 1 })
    expect(JSON.stringify(alert?.evidence)).toContain(it.victim)
  })
})

describe('an operator', () => {
  it('lifts every measure at once, and none is taken while they hold', async () => {
    const it = await world()
    const scope = TenantScope.ofPlatform(it.culprit)
    await looks(it, it.noisy, 10)
    const lifted = await it.operators.lift(scope, { holdMinutes: 30 })
    expect(lifted).toMatchObject({ findings: [{ ladder: { rung: 'notify' } }] })
    expect(it.measures.has(it.culprit)).toBe(false)
    await looks(it, it.noisy, 29)
    expect(await it.rung()).toBe('notify')
    await looks(it, it.noisy, 3)
    expect(await it.rung()).toBe('lower-weight')
  })

  it('sets how far it goes for a tenant, and what goes further is undone', async () => {
    const it = await world()
    const scope = TenantScope.ofPlatform(it.culprit)
    expect(await it.operators.policy(scope)).toEqual({ policy: defaultPolicy, isDefault: true, liftedToMs: 0 })
    await looks(it, it.noisy, 10)
    await it.operators.setPolicy(scope, { ...defaultPolicy, rungMax: 'notify' })
    await looks(it, it.noisy, 1)
    expect(await it.rung()).toBe('notify')
    expect(it.measures.has(it.culprit)).toBe(false)
  })
})

describe('a finding that is over', () => {
  it('is shown for a while and then forgotten, and comes back as a new episode of one alert', async () => {
    const it = await world()
    await looks(it, it.noisy, 1)
    await looks(it, undefined, 12)
    expect(await it.finding()).toMatchObject({ closedAtMs: it.clock.now() - MINUTE_MS })
    await looks(it, it.noisy, 1)
    expect(await it.alert()).toMatchObject({ state: 'open', episode: 2 })
    await looks(it, undefined, 12)
    await it.pass(SHOWN_MS / MINUTE_MS)
    await it.look(undefined)
    expect(await it.finding()).toBeUndefined()
  })

  it('leaves nothing of a tenant that goes', async () => {
    const it = await world()
    await looks(it, it.noisy, 1)
    await it.store.removeFindings(TenantScope.ofPlatform(it.culprit))
    expect(await it.storage.platformRowsUnder('neighbours', it.culprit)).toBe(0)
  })
})
