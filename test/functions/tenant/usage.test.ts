import { createTenant, expectStatus } from '../control-plane-fixtures'
import { operatorToken, serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let apiKey: string
let tenantId: string

beforeAll(async () => {
  server = await serveControlPlane()
  ;({ apiKey, tenantId } = await createTenant(server))
})
afterAll(() => server.close())

const FIRST_COLUMNS = 'start,alias,calls,unsettled'
const asTenant = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, { headers: { 'api-key': apiKey, ...headers } })
const asOperator = (path: string) =>
  fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${operatorToken}` } })

describe('usage', () => {
  it.each([
    ['/api/tenant/usage?groupBy=alias&interval=day&format=csv', undefined],
    ['/api/tenant/usage?groupBy=alias&interval=day', 'text/csv'],
    ['/api/tenant/usage?groupBy=alias&interval=day&format=csv', 'application/json'],
  ])('is comma-separated where %s with Accept %p asks for it', async (path, accept) => {
    const answer = await asTenant(path, accept === undefined ? {} : { accept })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await answer.text()).startsWith(FIRST_COLUMNS)).toBe(true)
  })

  it('is JSON where the query says so, whatever is accepted', async () => {
    const answer = await asTenant('/api/tenant/usage?format=json', { accept: 'text/csv' })
    expect(answer.headers.get('content-type')).toContain('application/json')
  })

  it('that cannot be asked for so is a problem, as CSV too', async () => {
    const answer = await asTenant('/api/tenant/usage?groupBy=colour&format=csv')
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'invalid_request', errors: [{ path: 'groupBy' }] })
  })

  it('of a tenant is an operator’s to ask for, and of all by tenant; without either it is refused', async () => {
    expect(await (await asOperator(`/api/platform/usage?tenant=${tenantId}`)).json()).toMatchObject({
      rows: [],
      totals: { calls: 0, latencyP95Ms: null },
    })
    expect(await (await asOperator('/api/platform/usage?groupBy=tenant,key')).json()).toMatchObject({
      groupBy: ['tenant', 'key'],
      rows: [],
    })
    const csv = await asOperator('/api/platform/usage?groupBy=tenant&format=csv')
    expect((await csv.text()).startsWith('tenant,calls')).toBe(true)
    expect((await asOperator('/api/platform/usage')).status).toBe(400)
  })

  it('of all is no tenant’s to ask for', async () => {
    expect((await asTenant('/api/platform/usage?groupBy=tenant')).status).toBe(401)
  })

  it('has no report of a period that is not over, or that is none', async () => {
    expectStatus(await server.send('GET', '/api/tenant/usage/reports?kind=week', { apiKey }), 200)
    expectStatus(await server.send('GET', '/api/tenant/usage/reports/2026-01', { apiKey }), 404)
    expectStatus(await server.send('GET', '/api/tenant/usage/reports/2026-02-30', { apiKey }), 404)
    expectStatus(await server.send('GET', '/api/tenant/usage/reports?kind=year', { apiKey }), 400)
  })
})
