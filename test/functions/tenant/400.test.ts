import { chatAlias, createBackend, createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let tenant: { tenantId: string; apiKey: string; etag: string }
beforeAll(async () => {
  server = await serveControlPlane()
  const backendId = await createBackend(server)
  tenant = await createTenant(server, { aliases: [chatAlias(backendId)] })
})
afterAll(() => server.close())

const errorPaths = (body: { errors: { path: string }[] }) => body.errors.map(({ path }) => path)

describe('a key is not made of', () => {
  it.each<[string, object, string]>([
    ['no name', { name: undefined }, 'name'],
    ['an empty name', { name: ' ' }, 'name'],
    ['a name above its bound', { name: 'x'.repeat(65) }, 'name'],
    ['no scope', { scopes: [] }, 'scopes'],
    ['a scope that does not exist', { scopes: ['owner'] }, 'scopes.0'],
    ['a scope twice', { scopes: ['admin', 'admin'] }, 'scopes'],
    ['no alias at all', { aliases: [] }, 'aliases'],
    ['an alias that the tenant does not have', { aliases: ['chat', 'vision'] }, 'aliases.1'],
    ['a limit of zero', { limits: { requestsPerMinute: 0 } }, 'limits.requestsPerMinute'],
    ['an expiry that is no time', { expiresAt: 'tomorrow' }, 'expiresAt'],
    ['an expiry without a time zone', { expiresAt: '2027-01-31T00:00:00' }, 'expiresAt'],
    ['an expiry in the past', { expiresAt: '2025-12-31T23:59:59Z' }, 'expiresAt'],
    ['an expiry that is now', { expiresAt: '2026-01-01T00:00:00Z' }, 'expiresAt'],
    ['a tenant of its client’s choice', { tenantId: 'ten_00000000000000000000000001' }, 'tenantId'],
    ['a key of its client’s choice', { apiKey: 'tnk_mine' }, 'apiKey'],
  ])('%s', async (_, change, path) => {
    const body = { name: 'a key', ...change }
    const reply = await server.send('POST', '/api/tenant/keys', { apiKey: tenant.apiKey, body })
    expect(reply.status).toBe(400)
    expect(errorPaths(reply.body)).toContain(path)
  })

  it.each([-1, 7 * 86_400_000 + 1, 1.5, '60000'])('a rotation with an overlap of %s ms', async (overlapMs) => {
    const key = await createKey(server, tenant.apiKey)
    const path = `/api/tenant/keys/${key.keyId}/rotate`
    const reply = await server.send('POST', path, { apiKey: tenant.apiKey, body: { overlapMs } })
    expect(errorPaths(reply.body)).toEqual(['overlapMs'])
  })
})

describe('a tenant does not change by itself', () => {
  it.each(['displayName', 'tier', 'limitOverrides', 'residency', 'aliases', 'state'])('its %s', async (field) => {
    const reply = await server.send('PATCH', '/api/tenant', {
      apiKey: tenant.apiKey,
      body: { settings: {}, [field]: 'premium' },
      headers: { 'if-match': tenant.etag },
    })
    expect(reply.status).toBe(400)
    expect(errorPaths(reply.body)).toEqual([field])
  })
})

describe('a tenant has', () => {
  it('no more keys that work than the bound, and room again after one is revoked', async () => {
    const { apiKey } = await createTenant(server)
    const made: { keyId: string }[] = []
    for (let i = 0; i < 99; i++) made.push(await createKey(server, apiKey))
    const full = await server.send('POST', '/api/tenant/keys', { apiKey, body: { name: 'one more' } })
    expect(full).toMatchObject({ status: 409, body: { code: 'conflict' } })
    expectStatus(await server.send('DELETE', `/api/tenant/keys/${made[0]?.keyId}`, { apiKey }), 204)
    await createKey(server, apiKey)
  })

  it('two credentials in one request refused, rather than one of them chosen', async () => {
    const other = await createKey(server, tenant.apiKey)
    const headers = { authorization: `Bearer ${other.apiKey}` }
    const reply = await server.send('GET', '/api/tenant', { apiKey: tenant.apiKey, headers })
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(reply.text).not.toContain(other.apiKey)
  })
})
