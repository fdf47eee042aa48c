import { createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

describe('credentials that a tenant hands over', () => {
  it('are listed by name, shown never, replaced and deleted', async () => {
    const { apiKey } = await createTenant(server)
    const put = (name: string, value: string) =>
      server.send('PUT', `/api/tenant/secrets/${name}`, { apiKey, body: { value } })
    expectStatus(await put('account-key', 'first-value'), 204)
    expectStatus(await put('account-key', 'second-value'), 204)
    expectStatus(await put('other', 'third-value'), 204)
    const listed = expectStatus(await server.send('GET', '/api/tenant/secrets', { apiKey }), 200)
    expect(listed.body).toEqual({ secrets: [{ name: 'account-key' }, { name: 'other' }] })
    const audit = expectStatus(await server.send('GET', '/api/tenant/audit?limit=1000', { apiKey }), 200)
    expect(audit.text).toContain('/api/tenant/secrets/account-key')
    expect(audit.text).not.toContain('-value')
    expectStatus(await server.send('DELETE', '/api/tenant/secrets/other', { apiKey }), 204)
    expectStatus(await server.send('DELETE', '/api/tenant/secrets/other', { apiKey }), 404)
  })

  it('are at most twenty', async () => {
    const { apiKey } = await createTenant(server)
    const put = (name: string) => server.send('PUT', `/api/tenant/secrets/${name}`, { apiKey, body: { value: 'v' } })
    for (let i = 0; i < 20; i++) expectStatus(await put(`key-${i}`), 204)
    expectStatus(await put('one-more'), 409)
    expectStatus(await put('key-7'), 204)
  })

  it('are an operator’s to hand over while the tenant has no key yet, and nobody else’s', async () => {
    const { tenantId, apiKey } = await createTenant(server)
    const path = `/api/platform/tenants/${tenantId}/secrets/account-key`
    expectStatus(await server.operate('PUT', path, { value: 'v' }), 204)
    expectStatus(await server.send('PUT', path, { apiKey, body: { value: 'v' } }), 401)
    expect((await server.operate('GET', `/api/platform/tenants/${tenantId}/secrets`)).body.secrets).toHaveLength(1)
    expectStatus(await server.operate('DELETE', path), 204)
    expectStatus(
      await server.operate('PUT', path.replace(tenantId, `${tenantId.slice(0, -4)}0000`), { value: 'v' }),
      404,
    )
  })
})
