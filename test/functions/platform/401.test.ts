import { createOperators } from '../../../src/access/operators'
import { createTenant } from '../control-plane-fixtures'
import { operatorToken, serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let tenant: { tenantId: string; apiKey: string }
beforeAll(async () => {
  server = await serveControlPlane()
  tenant = await createTenant(server)
})
afterAll(() => server.close())

const endpoints: [string, string][] = [
  ['GET', '/api/platform/tenants'],
  ['POST', '/api/platform/tenants'],
  ['GET', '/api/platform/tenants/{tenant}'],
  ['PATCH', '/api/platform/tenants/{tenant}'],
  ['POST', '/api/platform/tenants/{tenant}/suspend'],
  ['POST', '/api/platform/tenants/{tenant}/resume'],
  ['GET', '/api/platform/tenants/{tenant}/keys'],
  ['POST', '/api/platform/tenants/{tenant}/keys'],
  ['GET', '/api/platform/backends'],
  ['POST', '/api/platform/backends'],
  ['GET', '/api/platform/backends/bke_00000000000000000000000000'],
  ['PUT', '/api/platform/backends/bke_00000000000000000000000000'],
  ['PATCH', '/api/platform/backends/bke_00000000000000000000000000'],
  ['DELETE', '/api/platform/backends/bke_00000000000000000000000000'],
  ['GET', '/api/platform/tiers'],
]

describe('nobody but an operator', () => {
  it.each(endpoints)('gets an answer from %s %s, and no storage is asked for one who is none', async (method, path) => {
    const url = path.replace('{tenant}', tenant.tenantId)
    const before = server.tableRequests()
    for (const headers of [
      {},
      { authorization: 'Bearer' },
      { authorization: 'Bearer wrong' },
      { authorization: `Bearer ${operatorToken}x` },
      { authorization: `Basic ${operatorToken}` },
      { 'api-key': operatorToken },
      { authorization: `Bearer ${tenant.apiKey}` },
      { 'api-key': tenant.apiKey },
    ]) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {}
      const reply = await server.send(method, url, { headers, body })
      expect(reply).toMatchObject({ status: 401, body: { code: 'operator_credential_required' } })
      expect(reply.headers.get('www-authenticate')).toContain('Bearer')
    }
    expect(server.tableRequests()).toBe(before)
  })

  it('gets in where no operator is configured', async () => {
    const nobody = createOperators({ tokens: [] })
    const headers = new Headers({ authorization: `Bearer ${operatorToken}` })
    expect(await nobody.authenticate(headers)).toMatchObject({ code: 'operator_credential_required' })
  })

  it('finds an operator’s token in the log', async () => {
    await server.operate('GET', '/api/platform/tiers')
    expect(server.logged.join('\n')).toContain('/api/platform/tiers')
    expect(server.logged.join('\n')).not.toContain(operatorToken)
  })
})
