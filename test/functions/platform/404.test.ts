import { createTenant } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

const UNKNOWN = '0'.repeat(26)

describe('an id that names nothing', () => {
  it.each([
    ['GET', '/api/platform/tenants/{ten}'],
    ['PATCH', '/api/platform/tenants/{ten}'],
    ['POST', '/api/platform/tenants/{ten}/suspend'],
    ['POST', '/api/platform/tenants/{ten}/resume'],
    ['GET', '/api/platform/tenants/{ten}/keys'],
    ['POST', '/api/platform/tenants/{ten}/keys'],
    ['GET', '/api/platform/backends/{bke}'],
    ['PATCH', '/api/platform/backends/{bke}'],
    ['DELETE', '/api/platform/backends/{bke}'],
  ])('answers %s %s alike whether it is unknown or no id at all', async (method, path) => {
    const body = method === 'PATCH' ? {} : method === 'POST' ? { name: 'a key' } : undefined
    for (const id of [UNKNOWN, 'x', '%27%20or%201%20eq%201', '..%2f..', 'A'.repeat(26)]) {
      const url = path.replace('{ten}', `ten_${id}`).replace('{bke}', `bke_${id}`)
      const reply = await server.operate(method, url, body, { 'if-match': '"1"' })
      expect(reply).toMatchObject({ status: 404, body: { code: 'not_found' } })
    }
  })
})

describe('a method that has no meaning', () => {
  it.each([
    ['DELETE', '/api/platform/tenants', 'GET, POST'],
    ['PUT', '/api/platform/tiers', 'GET'],
    ['GET', '/api/platform/tenants/{tenant}/suspend', 'POST'],
    ['POST', '/api/health', 'GET'],
  ])('is told so: %s %s', async (method, path, allow) => {
    const { tenantId } = await createTenant(server)
    const reply = await server.operate(method, path.replace('{tenant}', tenantId))
    expect(reply).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
    expect(reply.headers.get('allow')).toBe(allow)
  })
})
