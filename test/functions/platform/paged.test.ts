import { createBackend, createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let tenant: { tenantId: string; apiKey: string }
beforeAll(async () => {
  server = await serveControlPlane()
  tenant = await createTenant(server)
  for (let i = 0; i < 4; i++) {
    await server.clock.advance(1)
    await createKey(server, tenant.apiKey, { name: `key ${i}` })
    await createBackend(server, { name: `backend ${i}` })
    await createTenant(server)
  }
})
afterAll(() => server.close())

describe('every list', () => {
  it.each([
    ['/api/platform/tenants', 'tenants'],
    ['/api/platform/backends', 'backends'],
    ['/api/platform/tiers', 'tiers'],
    ['/api/platform/tenants/{tenant}/keys', 'keys'],
    ['/api/tenant/keys', 'keys'],
  ])('shows each of its items once, page by page: %s', async (path, field) => {
    const url = path.replace('{tenant}', tenant.tenantId)
    const get = async (query: string) => {
      const headers = path.startsWith('/api/tenant') ? { apiKey: tenant.apiKey } : undefined
      return headers ? server.send('GET', url + query, headers) : server.operate('GET', url + query)
    }
    const whole = expectStatus(await get('?limit=100'), 200).body
    expect(whole.next).toBeUndefined()
    expect(whole[field].length).toBeGreaterThan(2)

    const seen: unknown[] = []
    let next: string | undefined
    do {
      const { body } = expectStatus(await get(`?limit=2${next === undefined ? '' : `&after=${next}`}`), 200)
      expect(body[field].length).toBeLessThanOrEqual(2)
      seen.push(...body[field])
      next = body.next
    } while (next !== undefined)
    expect(seen).toEqual(whole[field])

    for (const query of ['?limit=0', '?limit=501', '?limit=x', '?after=%27', '?page=2'])
      expect(await get(query)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  })
})
