import { backendBody, createBackend, createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

const ascending = (a: number, b: number) => a - b

describe('a change of a tenant', () => {
  const rename = (tenantId: string, displayName: string, headers?: Record<string, string>) =>
    server.operate('PATCH', `/api/platform/tenants/${tenantId}`, { displayName }, headers)

  it('that does not say what it replaces is asked to (428)', async () => {
    const { tenantId } = await createTenant(server)
    expect(await rename(tenantId, 'B')).toMatchObject({ status: 428, body: { code: 'precondition_required' } })
    expect(await rename(tenantId, 'B', { 'if-match': ' ' })).toMatchObject({ status: 428 })
  })

  // A new tenant has been written twice: registered, then activated.
  it.each(['"1"', '"3"', '2', 'W/"2"', '"2', 'rubbish', '"1", "3"'])('of %s is stale (412)', async (tag) => {
    const { tenantId, etag } = await createTenant(server)
    expect(etag).toBe('"2"')
    const reply = await rename(tenantId, 'B', { 'if-match': tag })
    expect(reply).toMatchObject({ status: 412, body: { code: 'precondition_failed' } })
  })

  it.each(['"2"', '*', '"1", "2"', '"2" , "9"'])('of %s is done', async (tag) => {
    const { tenantId } = await createTenant(server)
    const reply = expectStatus(await rename(tenantId, 'B', { 'if-match': tag }), 200)
    expect(reply.headers.get('etag')).toBe('"3"')
  })

  it('is done once where two of one version come at the same time: the other is stale', async () => {
    const { tenantId, etag } = await createTenant(server)
    const replies = await Promise.all(['B', 'C'].map((name) => rename(tenantId, name, { 'if-match': etag })))
    expect(replies.map(({ status }) => status).sort(ascending)).toEqual([200, 412])
    const winner = replies.find(({ status }) => status === 200)
    const { body } = await server.operate('GET', `/api/platform/tenants/${tenantId}`)
    expect(body.displayName).toBe(winner?.body.displayName)
  })
})

describe('a change of a backend', () => {
  it('needs the version that it replaces', async () => {
    const id = await createBackend(server)
    const path = `/api/platform/backends/${id}`
    expect(await server.operate('PUT', path, backendBody)).toMatchObject({ status: 428 })
    expect(await server.operate('PATCH', path, { enabled: false })).toMatchObject({ status: 428 })
    const match = { 'if-match': '"1"' }
    const replies = await Promise.all([
      server.operate('PATCH', path, { name: 'B' }, match),
      server.operate('PATCH', path, { name: 'C' }, match),
    ])
    expect(replies.map(({ status }) => status).sort(ascending)).toEqual([200, 412])
    expect(await server.operate('PUT', path, backendBody, match)).toMatchObject({ status: 412 })
  })
})
