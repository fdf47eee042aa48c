import type { BackendId, TenantId } from '../../src/base/ids'
import { capacityStoreIn } from '../../src/capacity/assemble-capacity'
import { dayOf } from '../../src/capacity/day'
import { metrics, type Metric } from '../../src/capacity/observed-days'
import type { CapacitySubject } from '../../src/capacity/outlook'
import { PROFILE_HOURS, evenMinutes } from '../../src/capacity/observed-hours'
import { createBackend, createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { operatorToken, serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { handClock } from '../harness/hand-clock'

const clock = handClock(Date.UTC(2026, 6, 20, 12))
const through = dayOf(clock.now()) - 1
const DAYS = 60

let server: ControlPlaneServer
let backendId: BackendId
let full: Awaited<ReturnType<typeof createTenant>>
let calm: Awaited<ReturnType<typeof createTenant>>

/** As runs of the days before have seen it. */
async function observed(subject: CapacitySubject, of: (day: number) => number) {
  const shares: Partial<Record<Metric, number>> = { turnedAway: 0, requests: 0.001, peakRequests: 0.001 }
  const valuesOf = (metric: Metric) =>
    Array.from({ length: DAYS }, (_, day) => Math.ceil(of(day) * (shares[metric] ?? 1)))
  const values = Object.fromEntries(metrics.map((metric) => [metric, valuesOf(metric)])) as Record<Metric, number[]>
  await capacityStoreIn(server.storage).putDays(subject, { firstDay: through - DAYS + 1, values })
}

beforeAll(async () => {
  server = await serveControlPlane({ clock })
  backendId = (await createBackend(server)) as BackendId
  full = await createTenant(server, { displayName: '=Full', limitOverrides: { tokensPerMinute: 60_000 } })
  calm = await createTenant(server, { displayName: 'Calm' })
  await observed({ kind: 'tenant', tenantId: full.tenantId as TenantId }, (day) => 20_000 + 600 * day)
  await observed({ kind: 'tenant', tenantId: calm.tenantId as TenantId }, () => 100)
  await observed({ kind: 'deployment', backendId }, () => 500_000)
  const per = (value: number) => Array.from({ length: PROFILE_HOURS }, () => value)
  await capacityStoreIn(server.storage).putHours(backendId, {
    firstHour: (through + 1) * 24 - PROFILE_HOURS,
    model: 'gpt-4.1',
    inputTokens: per(12_000_000),
    outputTokens: per(1_000_000),
    costMicroUsd: per(32_000_000),
    bursts: evenMinutes,
  })
})
afterAll(() => server.close())

const operate = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  expectStatus(await server.operate(method, path, body, headers), 200)

describe('operators', () => {
  it('set a deployment’s quota against the version that they read, and have it counted from the next forecast on', async () => {
    const path = `/api/platform/backends/${backendId}/capacity`
    const read = await operate('GET', path)
    expect(read.headers.get('etag')).toBe('"0"')
    await operate('PUT', path, { tokensPerMinute: 2_000_000 }, { 'if-match': '"0"' })
    expect((await server.operate('PUT', path, { tokensPerMinute: 1 }, { 'if-match': '"0"' })).status).toBe(412)
    expect((await server.operate('PUT', path, { tokensPerMinute: 0 }, { 'if-match': '*' })).status).toBe(400)
    expect((await operate('GET', path)).body.quota).toEqual({ tokensPerMinute: 2_000_000 })
    await operate('POST', '/api/platform/capacity/refresh')
    expect((await operate('GET', path)).body.outlook.limits).toMatchObject([
      { name: 'tokensPerMinute', used: 500_000, usedShare: 0.25 },
    ])
  })

  it('see whose limits are nearest first, page by page and as a sheet', async () => {
    const run = (await operate('POST', '/api/platform/capacity/refresh')).body
    expect(run).toMatchObject({ state: 'ended', tenants: 2, deployments: 1, failed: 0, through: '2026-07-19' })
    const { body } = await operate('GET', '/api/platform/capacity?limit=2')
    expect(body.run).toEqual(run)
    expect(body.capacity.map(({ name }: { name: string }) => name)).toEqual(['=Full', 'sweden 1'])
    expect(body.capacity[0].limits[0]).toMatchObject({ name: 'tokensPerMinute', limit: 60_000, used: 55_400 })
    expect(body.capacity[0].limits[0].expectedOn).toMatch(/^2026-07-2/)
    const rest = await operate('GET', `/api/platform/capacity?limit=2&after=${encodeURIComponent(body.next)}`)
    expect(rest.body).toMatchObject({ capacity: [{ kind: 'tenant', id: calm.tenantId, name: 'Calm' }] })
    expect(rest.body.next).toBeUndefined()

    const sheet = await fetch(`${server.url}/api/platform/capacity/report.csv?limit=1&kind=tenant`, {
      headers: { authorization: `Bearer ${operatorToken}` },
    })
    expect(sheet.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(sheet.headers.get('link')).toMatch(/^<\?limit=1&kind=tenant&after=[^>]+>; rel="next"$/)
    const [head, first] = (await sheet.text()).split('\r\n')
    expect(head).toBe('kind,id,name,limitName,limit,used,usedShare,expectedOn,earliestOn,through')
    // A spreadsheet would run a name that begins so.
    expect(first).toMatch(new RegExp(`^tenant,${full.tenantId},'=Full,tokensPerMinute,60000,55400,`))
  })

  it('see what is free for more tenants, and are told so of a model that nobody serves', async () => {
    const { body } = await operate('GET', '/api/platform/capacity/headroom?model=gpt-4.1&region=swedencentral')
    expect(body).toMatchObject({
      deployments: [{ backendId, tokensPerMinute: 2_000_000 }],
      onboarding: { tenants: 0 },
    })
    expect(body.tokensPerMinute).toBeGreaterThan(1_300_000)
    expect(body.fits.find(({ tier }: { tier: string }) => tier === 'standard').byLimit).toBe(
      Math.floor(body.tokensPerMinute / 100_000),
    )
    const none = await operate('GET', '/api/platform/capacity/headroom?model=no-such-model')
    expect(none.body).toMatchObject({ deployments: [], tokensPerMinute: 0 })
    expect((await server.operate('GET', '/api/platform/capacity/headroom')).status).toBe(400)
  })

  it('get advice on units by assumed prices, and by their own once they have said them', async () => {
    const path = '/api/platform/capacity/provisioned'
    const assumed = (await operate('GET', path)).body
    expect(assumed.pools).toMatchObject([
      { kind: 'sized', model: 'gpt-4.1', prices: 'assumed', unitsMin: 15, units: 0 },
    ])
    expect(assumed.pools[0].payAsYouGoMicroUsd).toBe(32_000_000 * 730)
    expect((await operate('GET', '/api/platform/capacity/terms')).body).toMatchObject({
      asOf: assumed.asOf,
      source: assumed.source,
    })
    const price = { hourMicroUsd: 1_000, monthMicroUsd: 1_000, yearMicroUsd: 1_000 }
    const terms = { asOf: '2026-07-01', source: 'our agreement', prices: { global: price } }
    await operate('PUT', '/api/platform/capacity/terms', terms, { 'if-match': '"0"' })
    expect((await operate('GET', '/api/platform/capacity/terms')).body).toEqual(terms)
    const own = (await operate('GET', path)).body
    expect(own).toMatchObject({ asOf: '2026-07-01', source: 'our agreement', pools: [{ prices: 'operator' }] })
    // 200,000 input tokens a minute and four times 16,667 of output: 89 units of 3,000, in steps of 5.
    expect(own.pools[0].now[1]).toMatchObject({ commitment: 'month', units: 90, servedShare: 1 })
    expect((await operate('GET', `${path}?model=gpt-4o`)).body.pools).toEqual([])
    expect((await server.operate('GET', `${path}?reach=moon`)).status).toBe(400)
  })
})

describe('a tenant', () => {
  it('sees its own forecast and limits, as an operator sees them, and nobody else’s', async () => {
    const own = expectStatus(await server.send('GET', '/api/tenant/forecast?days=7', { apiKey: full.apiKey }), 200).body
    expect(own.limits[0]).toMatchObject({ name: 'tokensPerMinute', limit: 60_000 })
    expect(own.forecasts.tokens.days).toHaveLength(7)
    expect(own.forecasts.tokens.days[0]).toMatchObject({ date: '2026-07-20' })
    expect(JSON.stringify(own)).not.toContain(backendId)
    expect((await operate('GET', `/api/platform/tenants/${full.tenantId}/forecast?days=7`)).body).toEqual(own)
    const other = expectStatus(await server.send('GET', '/api/tenant/forecast', { apiKey: calm.apiKey }), 200).body
    expect(other.forecasts.tokens.days[0].expected).toBe(100)
  })

  it('that never called has nothing expected, and is told so', async () => {
    const fresh = await createTenant(server, { displayName: 'Fresh' })
    const { body } = expectStatus(await server.send('GET', '/api/tenant/forecast', { apiKey: fresh.apiKey }), 200)
    expect(body).toEqual({ intervalShare: 0.8, limits: [], forecasts: {} })
    expect((await server.send('GET', '/api/tenant/forecast?days=91', { apiKey: fresh.apiKey })).status).toBe(400)
  })
})
