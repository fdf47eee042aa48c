import { connectStorage } from '../../../src/storage/connect'
import { operatorToken, serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

/** An account at a port where nobody listens. */
const dead = connectStorage(
  {
    kind: 'connection-string',
    connectionString:
      'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;' +
      'BlobEndpoint=http://127.0.0.1:9/devstoreaccount1;QueueEndpoint=http://127.0.0.1:9/devstoreaccount1;' +
      'TableEndpoint=http://127.0.0.1:9/devstoreaccount1',
  },
  'dead',
)

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane({ storage: withoutRetries() })
})
afterAll(() => server.close())

describe('without storage', () => {
  it('the instance lives, and is not ready', async () => {
    expect(await server.send('GET', '/api/health')).toMatchObject({ status: 200, body: { status: 'ok' } })
    const reply = await server.send('GET', '/api/health/ready')
    expect(reply).toMatchObject({ status: 503, body: { status: 'unready', parts: { storage: 'failing' } } })
    expect(reply.headers.get('retry-after')).toBe('2')
    expect(reply.text).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/)
  })

  it('operators are told what fails, and since when', async () => {
    const reply = await server.operate('GET', '/api/platform/health')
    expect(reply).toMatchObject({ status: 200, body: { status: 'unready' } })
    expect(reply.body.parts).toContainEqual({
      name: 'storage',
      state: 'failing',
      why: expect.stringMatching(/\w/),
      since: expect.stringMatching(/Z$/),
    })
    expect(reply.body).not.toHaveProperty('backends')
  })

  it('an operator is told to try again, and the log alone says what happened', async () => {
    const headers = { authorization: `Bearer ${operatorToken}`, 'x-request-id': 'find-me' }
    const reply = await server.send('GET', '/api/platform/backends', { headers })
    expect(reply).toMatchObject({ status: 503, body: { code: 'storage_unavailable', retryable: true } })
    expect(reply.headers.get('retry-after')).toBe('1')
    expect(reply.text).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/)
    expect(server.logged.find((line) => line.includes('find-me') && line.includes('ECONNREFUSED'))).toBeDefined()
  })

  it('a made-up key is still refused, at once', async () => {
    const reply = await server.send('GET', '/api/tenant', { apiKey: 'tnk_made_up' })
    expect(reply).toMatchObject({ status: 401, body: { code: 'invalid_api_key' } })
  })
})

describe('an instance that stops', () => {
  it('takes nothing new, and says so to whoever asks whether to come', async () => {
    await using stopping = await serveControlPlane()
    expect(await stopping.operate('GET', '/api/platform/backends')).toMatchObject({ status: 200 })
    stopping.parts.stop.hasBegun = true
    const refused = await stopping.operate('GET', '/api/platform/backends')
    expect(refused).toMatchObject({ status: 503, body: { code: 'shutting_down', retryable: true } })
    expect(refused.headers.get('retry-after')).toBe('1')
    const probed = await stopping.send('GET', '/api/health/ready')
    expect(probed).toMatchObject({ status: 503, body: { status: 'stopping', parts: { storage: 'ok' } } })
    expect(await stopping.send('GET', '/api/health')).toMatchObject({ status: 200 })
  })
})

describe('a defect of ours', () => {
  it('is answered with the request id and nothing of what went wrong', async () => {
    await using broken = await serveControlPlane({ storage: withoutRetries() })
    const { tenants } = broken.parts
    Object.assign(tenants, { list: () => Promise.reject(new TypeError('the secret is 42')) })
    const reply = await broken.operate('GET', '/api/platform/tenants')
    expect(reply).toMatchObject({ status: 500, body: { code: 'internal_error' } })
    expect(reply.body.requestId).toBe(reply.headers.get('x-request-id'))
    expect(reply.text).not.toContain('the secret')
    expect(broken.logged.join('\n')).toContain('the secret is 42')
  })
})

/** The SDK's own retries would only make the test slow. */
function withoutRetries() {
  return {
    ...dead,
    table: (name: string) => {
      const client = dead.table(name)
      client.pipeline.removePolicy({ name: 'defaultRetryPolicy' })
      return client
    },
  }
}
