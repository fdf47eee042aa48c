import { TenantScope } from '../../src/storage/tenant-scope'
import { incidentIdOf, type Incident } from '../../src/sla/incident'
import { createKey, createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { operatorToken, serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import type { TenantId } from '../../src/base/ids'
import { keepIncidents } from './promised-tenant'
import { MINUTE_MS } from './sla-fixtures'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

/** The hand clock stands at 2026-01-01. */
const january = Date.UTC(2026, 0, 1)
const scopeOf = (tenantId: string) => TenantScope.ofPlatform(tenantId as TenantId)
const any = { 'if-match': '*' }
const policyOf = (tenantId: string) => `/api/platform/tenants/${tenantId}/sla`

describe('a tenant’s objectives', () => {
  it('are stated defaults until operators set others', async () => {
    const { tenantId } = await createTenant(server)
    const before = expectStatus(await server.operate('GET', policyOf(tenantId)), 200)
    expect(before.body).toEqual({
      isDefault: true,
      objectives: [
        { kind: 'availability', percent: 99.9 },
        { kind: 'latency', p95Ms: 60_000 },
        { kind: 'first-byte', p95Ms: 20_000 },
      ],
    })
    const objectives = [
      { kind: 'availability', percent: 99.5 },
      { kind: 'latency', p95Ms: 2_000, alias: 'chat', operation: 'chat.completions' },
    ]
    const tag = { 'if-match': before.headers.get('etag') ?? '' }
    expectStatus(await server.operate('PUT', policyOf(tenantId), { objectives }, tag), 200)
    expect((await server.operate('GET', policyOf(tenantId))).body).toEqual({ isDefault: false, objectives })
    expect(await server.operate('PUT', policyOf(tenantId), { objectives }, tag)).toMatchObject({ status: 412 })
  })

  it.each([
    ['an availability of 101 %', { kind: 'availability', percent: 101 }, 'objectives.0.percent'],
    ['one without any budget', { kind: 'availability', percent: 100 }, 'objectives.0.percent'],
    ['one that is none', { kind: 'availability', percent: 49 }, 'objectives.0.percent'],
    ['no time at all', { kind: 'latency', p95Ms: 0 }, 'objectives.0.p95Ms'],
    ['half a millisecond', { kind: 'first-byte', p95Ms: 0.5 }, 'objectives.0.p95Ms'],
    ['longer than any call', { kind: 'latency', p95Ms: 1_200_001 }, 'objectives.0.p95Ms'],
    ['another kind', { kind: 'happiness', percent: 99 }, 'objectives.0.kind'],
    ['a latency in per cent', { kind: 'latency', p95Ms: 5, percent: 99 }, 'objectives.0.percent'],
    ['an operation that nobody waits for', { kind: 'latency', p95Ms: 5, operation: 'batch' }, 'objectives.0.operation'],
  ])('of %s are refused, and nothing is changed', async (_, objective, path) => {
    const { tenantId } = await createTenant(server)
    const refused = await server.operate('PUT', policyOf(tenantId), { objectives: [objective] }, any)
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path }] } })
    expect((await server.operate('GET', policyOf(tenantId))).body.isDefault).toBe(true)
  })

  it('are one of a kind for the same calls', async () => {
    const { tenantId } = await createTenant(server)
    const twice = [99, 98].map((percent) => ({ kind: 'availability', percent }))
    expect(await server.operate('PUT', policyOf(tenantId), { objectives: twice }, any)).toMatchObject({ status: 400 })
    expect(
      await server.operate('PUT', policyOf(`ten_${'0'.repeat(25)}1`), { objectives: [twice[0]] }, any),
    ).toMatchObject({
      status: 404,
    })
  })
})

describe('incidents', () => {
  it('are listed to operators, the newest first, by page, tenant, state and kind', async () => {
    const { tenantId } = await createTenant(server)
    const { tenantId: other } = await createTenant(server)
    const incidents = await keepIncidents(server, scopeOf(tenantId), 5)
    await keepIncidents(server, scopeOf(other), 1)
    const newestFirst = incidents.map(({ id }) => id).toReversed()
    const ask = async (query: string) =>
      expectStatus(await server.operate('GET', `/api/platform/incidents?tenant=${tenantId}${query}`), 200).body
    const first = await ask('&limit=3')
    const second = await ask(`&limit=3&after=${first.next}`)
    expect([...first.incidents, ...second.incidents].map(({ id }: Incident) => id)).toEqual(newestFirst)
    expect(second.next).toBeUndefined()
    expect((await ask('&state=open')).incidents).toMatchObject([{ id: newestFirst[0], state: 'open' }])
    expect((await ask('&state=closed')).incidents).toHaveLength(4)
    expect((await ask('&kind=latency')).incidents).toEqual([])
    const shown = expectStatus(await server.operate('GET', `/api/platform/incidents/${newestFirst[1]}`), 200).body
    expect(shown).toMatchObject({ tenantId, durationMs: MINUTE_MS, why: 'recovered', evidence: { bad: 5 } })
    const nobodys = incidentIdOf(tenantId as TenantId, 'latency', january)
    expect(await server.operate('GET', `/api/platform/incidents/${nobodys}`)).toMatchObject({ status: 404 })
  })

  it('are shown to their own tenant, and to no other', async () => {
    const one = await createTenant(server)
    const two = await createTenant(server)
    await keepIncidents(server, scopeOf(one.tenantId), 2)
    const of = async (tenant: { apiKey: string }) => {
      const { apiKey } = await createKey(server, tenant.apiKey, { scopes: ['read-only'] })
      const paged = []
      for (let after: string | undefined = ''; after !== undefined;) {
        const query = after === '' ? '?limit=1' : `?limit=1&after=${after}`
        const { body } = expectStatus(await server.send('GET', `/api/tenant/incidents${query}`, { apiKey }), 200)
        paged.push(...body.incidents)
        after = body.next
      }
      return paged
    }
    expect(await of(one)).toMatchObject([{ state: 'open' }, { state: 'closed' }])
    expect(await of(two)).toEqual([])
  })
})

describe('a month’s report', () => {
  it('is JSON for programs and a page for people', async () => {
    const { tenantId, apiKey } = await createTenant(server)
    const typeOf = async (query: string, accept: string) => {
      const answer = await fetch(`${server.url}/api/tenant/sla${query}`, { headers: { 'api-key': apiKey, accept } })
      expect(answer.status).toBe(200)
      return answer.headers.get('content-type')
    }
    const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
    expect(await typeOf('', '*/*')).toBe('application/json')
    expect(await typeOf('', browser)).toBe('text/html; charset=utf-8')
    expect(await typeOf('?format=html', 'application/json')).toBe('text/html; charset=utf-8')
    expect(await typeOf('?format=json', browser)).toBe('application/json')
    expect(await typeOf('?month=2025-12', 'text/html, application/json')).toBe('application/json')
    const operators = await fetch(`${server.url}/api/platform/tenants/${tenantId}/sla-report?format=html`, {
      headers: { authorization: `Bearer ${operatorToken}` },
    })
    expect(operators.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await operators.text()).toContain(`>${tenantId}<`)
  })

  it.each(['2026-02', '2026-13', '2026', 'january', '1999-01'])(
    'of %s is refused with what would be valid',
    async (month) => {
      const { apiKey } = await createTenant(server)
      const refused = await server.send('GET', `/api/tenant/sla?month=${month}`, { apiKey })
      expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path: 'month' }] } })
    },
  )
})

describe('maintenances', () => {
  it('are announced, listed and taken back', async () => {
    const body = { title: 'A new network', from: '2026-01-03T00:00:00Z', to: '2026-01-03T02:00:00Z' }
    const made = expectStatus(await server.operate('POST', '/api/platform/maintenance', body), 201)
    const { id } = made.body
    const list = async () => (await server.operate('GET', '/api/platform/maintenance')).body.maintenance
    expect(await list()).toMatchObject([{ id, from: '2026-01-03T00:00:00.000Z' }])
    expectStatus(await server.operate('DELETE', `/api/platform/maintenance/${id}`), 204)
    expect(await list()).toEqual([])
    expect(await server.operate('DELETE', `/api/platform/maintenance/${id}`)).toMatchObject({ status: 404 })
  })

  it.each([
    [{ from: '2026-01-01T12:00:00Z', to: '2026-01-01T13:00:00Z' }, 'from'],
    [{ from: '2026-01-03T00:30:00Z', to: '2026-01-03T02:00:00Z' }, 'from'],
    [{ from: '2026-01-03T00:00:00Z', to: '2026-01-04T00:00:00Z' }, 'to'],
    [{ from: '2026-01-03T00:00:00Z', to: '2026-01-02T00:00:00Z' }, 'to'],
    [{ from: 'tomorrow', to: '2026-01-02T00:00:00Z' }, 'from'],
  ])('of %j are refused', async (span, path) => {
    const refused = await server.operate('POST', '/api/platform/maintenance', { title: 'x', ...span })
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path }] } })
  })
})
