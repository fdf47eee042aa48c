import type { TenantId } from '../../src/base/ids'
import type { CallSettlement } from '../../src/metering/usage-record'
import type { Incident } from '../../src/sla/incident'
import { TenantScope } from '../../src/storage/tenant-scope'
import { MINUTE_MS, noonMs, tenantId } from './sla-fixtures'
import { watchedStorage } from '../usage/watched-storage'
import { slaWorld, upstreamFailed } from './sla-world'

type World = Awaited<ReturnType<typeof slaWorld>>

const timeOf = (minute: number) => noonMs + minute * MINUTE_MS

/** Ten good minutes, then failures from the tenth minute on up to the given one, then good ones again. */
async function outage({ call }: World, untilMinute: number, goodUntil: number) {
  for (let minute = 0; minute < goodUntil; minute++)
    await call(minute, 5, minute >= 10 && minute < untilMinute ? upstreamFailed : {})
}

const incidentsOf = (world: World, scope = world.scope): Promise<readonly Incident[]> =>
  world.instance().controlPlane.store.incidents(scope, { limit: 10 })

const ofAvailability = (incidents: readonly Incident[]) =>
  incidents.filter(({ objective }) => objective.kind === 'availability')

describe('the timer', () => {
  it('opens an incident within a minute of an outage, tells of it, and closes it with its duration', async () => {
    const world = await slaWorld()
    const { call, at, alerts, published } = world
    const sla = world.instance()
    for (let minute = 0; minute < 10; minute++) await call(minute, 5)
    await at(10)
    await sla.watch()
    expect(await incidentsOf(world)).toEqual([])

    await call(10, 5, upstreamFailed)
    await at(11)
    await sla.watch()
    const [opened] = await incidentsOf(world)
    expect(opened).toMatchObject({
      tenantId,
      severity: 'critical',
      startedAt: timeOf(10),
      detection: { rule: 'fast', at: timeOf(11) },
      evidence: { badMinutes: 1, bad: 5, outcomes: { failed: 5 }, deployments: { 'mini-1': 5 } },
    })
    const id = opened?.id ?? 'inc_'
    expect((await sla.controlPlane.incidents.page({ state: 'open', limit: 5 })).incidents).toEqual([opened])
    expect(await alerts.get(`sla-incident/${id}`)).toMatchObject({ state: 'open', severity: 'critical', tenantId })
    expect(published.get(`${id}/opened`)).toMatchObject({ audience: 'tenant', tenantId, kind: 'incident' })

    for (let minute = 11; minute < 14; minute++) await call(minute, 5, upstreamFailed)
    for (let minute = 14; minute < 30; minute++) await call(minute, 5)
    await at(30)
    await sla.watch()
    expect(await incidentsOf(world)).toMatchObject([
      { id, end: { at: timeOf(14), closedAt: timeOf(29), why: 'recovered' }, evidence: { badMinutes: 4, bad: 20 } },
    ])
    expect((await sla.controlPlane.incidents.page({ state: 'open', limit: 5 })).incidents).toEqual([])
    expect((await sla.controlPlane.incidents.get(id))?.end?.at).toBe(timeOf(14))
    expect(await alerts.get(`sla-incident/${id}`)).toMatchObject({ state: 'resolved' })
    expect(published.get(`${id}/closed`)?.text).toContain('for 4 minutes')
  })

  it('makes one incident and tells of it once, however many run at once and again', async () => {
    const world = await slaWorld()
    await outage(world, 14, 14)
    await world.at(14)
    const instances = [world.instance(), world.instance(), world.instance()]
    await Promise.all(instances.map(({ watch }) => watch()))
    await Promise.all(instances.map(({ watch }) => watch()))
    const incidents = await incidentsOf(world)
    expect(incidents).toHaveLength(1)
    expect([...world.published.keys()]).toEqual([`${incidents[0]?.id}/opened`])
    const [alert] = await world.alerts.page({ after: undefined, limit: 5 })
    expect(alert).toMatchObject({ id: `sla-incident/${incidents[0]?.id}`, timesSeen: 1, episode: 1 })
  })

  it('that could tell nobody goes on judging, and tells when it can', async () => {
    const world = await slaWorld()
    await outage(world, 14, 14)
    await world.at(14)
    world.telling.fails = true
    await world.instance().watch()
    const [incident] = await incidentsOf(world)
    expect(incident).toBeDefined()
    expect(world.published.size).toBe(0)

    // Judging does not wait for it.
    for (let minute = 14; minute < 31; minute++) await world.call(minute, 5)
    await world.at(31)
    await world.instance().watch()
    expect(await incidentsOf(world)).toMatchObject([{ id: incident?.id, end: { at: timeOf(14) } }])
    expect(world.published.size).toBe(0)

    world.telling.fails = false
    await world.instance().watch()
    expect([...world.published.keys()]).toEqual([`${incident?.id}/opened`, `${incident?.id}/closed`])
  })

  it('that stood still for hours finds what it missed, of tenants who have stopped calling too', async () => {
    const world = await slaWorld()
    const sla = world.instance()
    await world.call(0, 5)
    await world.at(1)
    await sla.watch()
    await outage(world, 14, 40)
    // Nobody calls for five hours, in which no timer runs either.
    await world.at(340)
    await sla.watch()
    expect(ofAvailability(await incidentsOf(world))).toMatchObject([
      { startedAt: timeOf(10), detection: { at: timeOf(11) }, end: { at: timeOf(14), closedAt: timeOf(29) } },
    ])
  })

  it('closes by silence what nobody calls any more', async () => {
    const world = await slaWorld()
    const sla = world.instance()
    await outage(world, 14, 14)
    await world.at(14)
    await sla.watch()
    expect((await incidentsOf(world))[0]?.end).toBeUndefined()
    for (const minute of [60, 90]) {
      await world.at(minute)
      await sla.watch()
    }
    expect(await incidentsOf(world)).toMatchObject([{ end: { at: timeOf(14), why: 'silence' } }])
    // Nothing is left to look after.
    expect(await world.storage.platformRowsUnder('slaindex', tenantId)).toBe(0)
  })

  it('counts neither a tenant’s own limits nor what its clients did wrong or left', async () => {
    const world = await slaWorld()
    const sla = world.instance()
    await world.call(0, 5)
    await world.call(1, 50, { outcome: 'rejected', status: 400 })
    await world.call(1, 50, { outcome: 'interrupted', code: 'client_closed_request' })
    await world.call(1, 50, { outcome: 'failed', status: 503, attempts: 0, code: 'model_asleep', backendId: undefined })
    await world.at(2)
    await sla.watch()
    expect(await incidentsOf(world)).toEqual([])
    const report = await sla.controlPlane.reports.of(world.scope, '2026-11')
    expect(report).toMatchObject({
      calls: {
        all: 155,
        counted: 5,
        excluded: expect.arrayContaining([
          { reason: 'client-error', calls: 50, why: expect.any(String) },
          { reason: 'client-gone', calls: 50, why: expect.any(String) },
          { reason: 'own-limits', calls: 50, why: expect.any(String) },
        ]),
      },
      objectives: expect.arrayContaining([expect.objectContaining({ result: 'met', goodPercent: 100 })]),
    })
  })

  it('asks storage nothing about tenants whose calls were all good, and sees at once when they are not', async () => {
    const world = await slaWorld()
    const asked: string[] = []
    const ofSla = watchedStorage(world.storage, async ({ method, url }) => {
      const rows = /sla\(|usageminutes\(|\$batch/.exec(url)
      if (rows) asked.push(`${method} ${rows[0]}`)
    })
    const sla = world.instance(ofSla)
    const ids = Array.from({ length: 8 }, (_, at): TenantId => `ten_${String(at + 1).repeat(26)}`)
    const minute = async (at: number, settlements: Partial<CallSettlement>[] = []) => {
      for (const [i, id] of ids.entries()) await world.call(at, 5, settlements[i], { tenantId: id })
      await world.at(at + 1)
      asked.length = 0
      await sla.watch()
      return asked.length
    }
    expect(await minute(0)).toBeGreaterThanOrEqual(8 * 3)
    for (let at = 1; at < 10; at++) expect(await minute(at)).toBe(0)
    const failing = [{}, {}, upstreamFailed]
    expect(await minute(10, failing)).toBeGreaterThan(0)
    expect(await incidentsOf(world, TenantScope.ofPlatform(ids[2] ?? 'ten_'))).toMatchObject([
      { startedAt: timeOf(10), detection: { at: timeOf(11) } },
    ])
    for (const id of ids.filter((_, at) => at !== 2))
      expect(await incidentsOf(world, TenantScope.ofPlatform(id))).toEqual([])
    // What it remembers of them is not let fall far behind.
    for (let at = 11; at < 61; at++) await minute(at)
    for (const id of ids) {
      const state = await sla.controlPlane.store.state(TenantScope.ofPlatform(id))
      expect(state?.state.throughMinute).toBeGreaterThan(noonMs / MINUTE_MS + 1)
    }
  })

  it('that another instance takes over judges what that one has not', async () => {
    const world = await slaWorld()
    const [first, second] = [world.instance(), world.instance()]
    await world.call(0, 5)
    await world.at(1)
    await first.watch()
    await world.call(1, 5, upstreamFailed)
    await world.at(2)
    for (const minute of [2, 3]) {
      await world.call(minute, 5)
      await world.at(minute + 1)
    }
    await second.watch()
    expect(await incidentsOf(world)).toMatchObject([{ startedAt: timeOf(1) }])
  })

  it('judges by new objectives from its next look on, whoever is remembered as quiet', async () => {
    const world = await slaWorld()
    const { call, at, scope } = world
    const sla = world.instance()
    for (let minute = 0; minute < 4; minute++) {
      await call(minute, 5, { latencyMs: 5_000 })
      await at(minute + 1)
      await sla.watch()
    }
    expect(await incidentsOf(world)).toEqual([])
    const objectives = [{ kind: 'latency' as const, p95Ms: 100 }]
    await world.instance().controlPlane.store.putPolicy(scope, { objectives }, () => true)
    await at(5)
    await sla.watch()
    expect(await incidentsOf(world)).toMatchObject([{ objective: { kind: 'latency' } }])
  })

  it('looks at each tenant by itself, and writes nothing of one that is gone', async () => {
    const world = await slaWorld()
    const other: TenantId = `ten_${'2'.repeat(26)}`
    const gone: TenantId = `ten_${'3'.repeat(26)}`
    world.gone.add(gone)
    await outage(world, 12, 12)
    for (const id of [other, gone]) {
      await world.call(0, 5, {}, { tenantId: id })
      await world.call(11, 5, id === gone ? upstreamFailed : {}, { tenantId: id })
    }
    await world.at(12)
    await world.instance().watch()
    expect(await incidentsOf(world)).toHaveLength(1)
    expect(await incidentsOf(world, TenantScope.ofPlatform(other))).toEqual([])
    expect(await world.storage.rowsInPartition('sla', gone)).toBe(0)
    expect(await world.storage.platformRowsUnder('slaindex', gone)).toBe(0)
  })
})
