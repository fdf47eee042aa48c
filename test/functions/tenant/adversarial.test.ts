import { createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

/** What tenant A tries with its own, valid administrator's key against tenant B. */
let server: ControlPlaneServer
let a: { tenantId: string; apiKey: string; keyId: string; etag: string }
let b: { tenantId: string; apiKey: string; keyId: string; etag: string }
beforeAll(async () => {
  server = await serveControlPlane()
  a = await createTenant(server, { displayName: 'A' })
  b = await createTenant(server, { displayName: 'B', contact: { email: 'b@b.example' } })
})
afterAll(() => server.close())

/** What of an answer may not differ between what exists for another and what never existed. */
const essence = ({ status, body }: { status: number; body: object }) => ({ status, ...body, requestId: undefined })

describe('with its own key, tenant A', () => {
  it('gets the same answer for a key of B as for one that never existed', async () => {
    const victim = await createKey(server, b.apiKey)
    const never = `key_${'0'.repeat(26)}`
    for (const [method, suffix, body] of [
      ['DELETE', '', undefined],
      ['POST', '/rotate', {}],
    ] as const) {
      const send = (keyId: string) =>
        server.send(method, `/api/tenant/keys/${keyId}${suffix}`, { apiKey: a.apiKey, body })
      const [foreign, unknown, malformed] = [await send(victim.keyId), await send(never), await send('key_x')]
      expect(foreign.status).toBe(404)
      expect(essence(foreign)).toEqual(essence(unknown))
      expect(malformed.status).toBe(404)
    }
    expect(expectStatus(await server.send('GET', '/api/tenant', { apiKey: b.apiKey }), 200).body.displayName).toBe('B')
    const works = await server.parts.authenticator.authenticate({ kind: 'api-key', text: victim.apiKey })
    expect(works).toMatchObject({ tenantId: b.tenantId, callerId: victim.keyId })
  })

  it('gets its own profile, keys and usage, whatever else it names', async () => {
    const named = `?tenantId=${b.tenantId}&tenant=${b.tenantId}`
    const headers = { 'x-tenant-id': b.tenantId, 'x-ms-client-principal-id': b.tenantId }
    for (const path of ['/api/tenant', '/api/tenant/usage', '/api/tenant/keys']) {
      const reply = await server.send('GET', path + named, { apiKey: a.apiKey, headers })
      const own = { ...reply.body, query: undefined }
      expect(JSON.stringify(own)).not.toContain(b.tenantId)
      expect(JSON.stringify(own)).not.toContain(b.keyId)
    }
    const usage = await server.send('GET', `/api/tenant/usage${named}`, { apiKey: a.apiKey, headers })
    expect(usage.body.tenantId).toBe(a.tenantId)
  })

  it('changes nothing of B with B’s version in If-Match', async () => {
    const before = (await server.send('GET', '/api/tenant', { apiKey: b.apiKey })).body
    await server.send('PATCH', '/api/tenant', {
      apiKey: a.apiKey,
      body: { settings: { hidePromptFilterChunk: true } },
      headers: { 'if-match': b.etag, 'x-tenant-id': b.tenantId },
    })
    expect((await server.send('GET', '/api/tenant', { apiKey: b.apiKey })).body).toEqual(before)
  })

  it('does not get B’s answer, nor B’s new key, under B’s Idempotency-Key', async () => {
    const create = (apiKey: string) =>
      server.send('POST', '/api/tenant/keys', {
        apiKey,
        body: { name: 'the same' },
        headers: { 'idempotency-key': 'the-same-key' },
      })
    const ofB = expectStatus(await create(b.apiKey), 201)
    const ofA = expectStatus(await create(a.apiKey), 201)
    expect(ofA.headers.get('idempotency-replayed')).toBeNull()
    expect(ofA.body.keyId).not.toBe(ofB.body.keyId)
    const caller = await server.parts.authenticator.authenticate({ kind: 'api-key', text: ofA.body.apiKey })
    expect(caller).toMatchObject({ tenantId: a.tenantId })
  })

  it('is nobody with a key put together from B’s names and its own secret', async () => {
    const [, tenantOfB, keyOfB] = b.apiKey.split('_')
    const [, tenantOfA, keyOfA, secretOfA] = a.apiKey.split('_')
    for (const apiKey of [
      `tnk_${tenantOfB}_${keyOfB}_${secretOfA}`,
      `tnk_${tenantOfB}_${keyOfA}_${secretOfA}`,
      `tnk_${tenantOfA}_${keyOfB}_${secretOfA}`,
    ])
      expect(await server.send('GET', '/api/tenant', { apiKey })).toMatchObject({
        status: 401,
        body: { code: 'invalid_api_key' },
      })
  })

  it('is no operator', async () => {
    for (const path of [
      `/api/platform/tenants/${b.tenantId}`,
      `/api/platform/tenants/${a.tenantId}`,
      '/api/platform/tenants',
    ])
      expect(await server.send('GET', path, { apiKey: a.apiKey })).toMatchObject({ status: 401 })
  })

  it('cannot give itself an alias that only B has', async () => {
    const reply = await server.send('POST', '/api/tenant/keys', {
      apiKey: a.apiKey,
      body: { name: 'x', aliases: ['b'] },
    })
    expect(reply).toMatchObject({ status: 400 })
  })
})

describe('a row of B’s that was copied into A’s partition', () => {
  it('does not make B’s key speak for A, nor A’s for B', async () => {
    const keys = server.storage.table('keys')
    const row = await keys.getEntity(b.tenantId, b.keyId)
    await keys.upsertEntity({ ...row, partitionKey: a.tenantId, rowKey: b.keyId }, 'Replace')
    const ofB = await server.parts.authenticator.authenticate({ kind: 'api-key', text: b.apiKey })
    expect(ofB).toMatchObject({ tenantId: b.tenantId })
    const [, , , secretOfB] = b.apiKey.split('_')
    const forged = `tnk_${a.tenantId.slice(4)}_${b.keyId.slice(4)}_${secretOfB}`
    expect(await server.send('GET', '/api/tenant', { apiKey: forged })).toMatchObject({ status: 401 })
  })
})
