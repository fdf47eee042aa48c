import { createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'
import { RestError } from '@azure/core-rest-pipeline'
import { freshStorage } from '../../harness/storage'
import { controlPlaneStorage } from '../wire-control-plane'

/** The control plane on a storage whose audit table can be made to fail. */
let server: ControlPlaneServer
let isDown = false
beforeAll(async () => {
  const storage = freshStorage()
  await storage.ensure(controlPlaneStorage)
  server = await serveControlPlane({
    storage: {
      ...storage,
      table: (name) => {
        const client = storage.table(name)
        if (name !== 'audit') return client
        client.pipeline.removePolicy({ name: 'defaultRetryPolicy' })
        client.pipeline.addPolicy({
          name: 'down',
          sendRequest: (request, next) => {
            if (isDown) throw new RestError('the audit table is down', { statusCode: 503, request })
            return next(request)
          },
        })
        return client
      },
    },
  })
})
afterEach(() => {
  isDown = false
})
afterAll(() => server.close())

describe('while the audit log cannot be written', () => {
  it('the answer of a change is 503, and the same request gives the same thing once it can be written again', async () => {
    const { apiKey } = await createTenant(server)
    const create = () =>
      server.send('POST', '/api/tenant/keys', { apiKey, body: { name: 'x' }, headers: { 'idempotency-key': 'k' } })
    isDown = true
    const refused = await create()
    expect(refused).toMatchObject({ status: 503, body: { code: 'storage_unavailable', retryable: true } })
    expect(refused.text).not.toContain('tnk_')
    expect(refused.headers.get('retry-after')).toBe('1')
    isDown = false
    const made = expectStatus(await create(), 201).body
    const { keys } = (await server.send('GET', '/api/tenant/keys', { apiKey })).body
    expect(keys).toHaveLength(2)
    const { entries } = (await server.send('GET', '/api/tenant/audit', { apiKey })).body
    expect(entries.at(-1).details).toMatchObject({ made: `/api/tenant/keys/${made.keyId}`, replayed: true })
  })

  it('nobody reads what has to be on record, and everybody reads what has not', async () => {
    const { tenantId, apiKey } = await createTenant(server)
    isDown = true
    const answers = await Promise.all([
      server.operate('GET', `/api/platform/tenants/${tenantId}`),
      server.send('GET', '/api/tenant/usage', { apiKey }),
      server.send('GET', '/api/tenant', { apiKey }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 200])
    expect(answers[0]?.text).not.toContain('Contoso')
  })

  it('a refusal stays what it is', async () => {
    const { apiKey } = await createTenant(server)
    const weak = await createKey(server, apiKey, { scopes: ['read-only'] })
    isDown = true
    expectStatus(await server.send('DELETE', `/api/tenant/keys/${weak.keyId}`, { apiKey: weak.apiKey }), 403)
    expectStatus(await server.send('PATCH', '/api/tenant', { apiKey, body: {} }), 428)
  })
})
