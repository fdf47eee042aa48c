import { TenantScope } from '../../../src/storage/tenant-scope'
import { tenantInput } from '../../../src/tenants/tenant-input'
import { createKey, createTenant } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let tenant: { tenantId: string; apiKey: string; keyId: string }
beforeAll(async () => {
  server = await serveControlPlane()
  tenant = await createTenant(server)
})
afterAll(() => server.close())

const reads: [string, string][] = [
  ['GET', '/api/tenant'],
  ['GET', '/api/tenant/usage'],
]
const administers: [string, string][] = [
  ['PATCH', '/api/tenant'],
  ['GET', '/api/tenant/keys'],
  ['POST', '/api/tenant/keys'],
  ['POST', '/api/tenant/keys/{key}/rotate'],
  ['DELETE', '/api/tenant/keys/{key}'],
]

async function statusesWith(scopes: string[], endpoints: [string, string][]): Promise<number[]> {
  const { apiKey } = await createKey(server, tenant.apiKey, { scopes })
  const victim = await createKey(server, tenant.apiKey)
  const replies = endpoints.map(([method, path]) =>
    server.send(method, path.replace('{key}', victim.keyId), {
      apiKey,
      body: method === 'GET' || method === 'DELETE' ? undefined : { name: 'x' },
      headers: { 'if-match': '*' },
    }),
  )
  return (await Promise.all(replies)).map(({ status }) => status)
}

describe('a key', () => {
  it('for inference neither reads nor administers', async () => {
    const statuses = await statusesWith(['inference'], [...reads, ...administers])
    expect(new Set(statuses)).toEqual(new Set([403]))
  })

  it('for reading reads and does not administer', async () => {
    expect(new Set(await statusesWith(['read-only'], reads))).toEqual(new Set([200]))
    expect(new Set(await statusesWith(['read-only', 'inference'], administers))).toEqual(new Set([403]))
  })

  it('for administering reads as well', async () => {
    expect(new Set(await statusesWith(['admin'], reads))).toEqual(new Set([200]))
    expect(await statusesWith(['admin'], administers)).not.toContain(403)
  })

  it('is told which scope is missing', async () => {
    const { apiKey } = await createKey(server, tenant.apiKey)
    const reply = await server.send('GET', '/api/tenant', { apiKey })
    expect(reply.body).toMatchObject({ code: 'insufficient_scope', detail: expect.stringContaining('"read-only"') })
  })

  it('of a tenant that is being set up does nothing yet', async () => {
    const { ids, tenants, keys } = server.parts.controlPlane
    const tenantId = ids.tenantId()
    const input = { displayName: 'new', contact: { email: 'a@a.example' }, region: 'westeurope' }
    await tenants.register(tenantId, tenantInput.parse(input))
    const key = await keys.create(TenantScope.ofPlatform(tenantId), ids.keyId(), { name: 'early', scopes: ['admin'] })
    if (!('apiKey' in key)) throw new Error('no key')
    const reply = await server.send('GET', '/api/tenant', { apiKey: key.apiKey })
    expect(reply).toMatchObject({ status: 403, body: { code: 'tenant_not_active' } })
  })
})
