import { chatAlias, createBackend, createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let backendId: string
beforeAll(async () => {
  server = await serveControlPlane()
  backendId = await createBackend(server)
})
afterAll(() => server.close())

describe('a tenant', () => {
  it('reads its own profile, aliases and limits, and nothing of the backends behind them', async () => {
    const { tenantId, apiKey } = await createTenant(server, {
      aliases: [chatAlias(backendId)],
      limitOverrides: { concurrentCalls: 7 },
    })
    const { body, text, headers } = expectStatus(await server.send('GET', '/api/tenant', { apiKey }), 200)
    expect(body).toMatchObject({
      tenantId,
      state: 'active',
      aliases: [{ name: 'chat', model: 'gpt-4.1-mini', capabilities: ['chat'], outputTokensMax: 16_384 }],
      limits: { requestsPerMinute: 600, tokensPerMinute: 100_000, concurrentCalls: 7 },
    })
    expect(text).not.toContain(backendId)
    expect(headers.get('etag')).toBe(`"${body.version}"`)
  })

  it('changes its settings, and the data path sees it', async () => {
    const { tenantId, apiKey, etag } = await createTenant(server)
    const reply = await server.send('PATCH', '/api/tenant', {
      apiKey,
      body: { settings: { hidePromptFilterChunk: true } },
      headers: { 'if-match': etag },
    })
    expect(expectStatus(reply, 200).body.settings).toEqual({
      hidePromptFilterChunk: true,
      budgetWarnPercents: [50, 80, 100],
    })
    expect(await server.parts.snapshots.get(tenantId as `ten_${string}`)).toMatchObject({
      settings: { hidePromptFilterChunk: true },
    })
  })

  it('makes, lists, rotates and revokes its keys, and sees each key itself once', async () => {
    const { apiKey, keyId } = await createTenant(server, { aliases: [chatAlias(backendId)] })
    await server.clock.advance(1)
    const expiresAt = new Date(server.clock.now() + 1_000_000).toISOString()
    const wanted = {
      name: ' app ',
      scopes: ['inference'],
      aliases: ['chat'],
      limits: { requestsPerMinute: 5 },
      expiresAt,
    }
    const made = expectStatus(await server.send('POST', '/api/tenant/keys', { apiKey, body: wanted }), 201)
    expect(made.body).toMatchObject({ ...wanted, name: 'app', state: 'active', apiKey: expect.stringMatching(/^tnk_/) })

    const path = `/api/tenant/keys/${made.body.keyId}`
    const rotated = expectStatus(await server.send('POST', `${path}/rotate`, { apiKey, body: {} }), 200)
    expect(rotated.body).toMatchObject({ keyId: made.body.keyId, name: 'app', aliases: ['chat'], expiresAt })
    const dayLater = new Date(server.clock.now() + 86_400_000).toISOString()
    expect(rotated.body.previousValidUntil).toBe(dayLater)

    expectStatus(await server.send('DELETE', path, { apiKey }), 204)
    expectStatus(await server.send('DELETE', path, { apiKey }), 204)
    const listed = expectStatus(await server.send('GET', '/api/tenant/keys', { apiKey }), 200)
    expect(listed.body.keys).toMatchObject([
      { keyId, state: 'active' },
      { keyId: made.body.keyId, state: 'revoked' },
    ])
    for (const secret of [made.body.apiKey, rotated.body.apiKey]) expect(listed.text).not.toContain(secret.slice(-48))
  })

  it('gets a rotation’s answer again under its Idempotency-Key', async () => {
    const { apiKey } = await createTenant(server)
    const key = await createKey(server, apiKey)
    const rotate = () =>
      server.send('POST', `/api/tenant/keys/${key.keyId}/rotate`, {
        apiKey,
        body: { overlapMs: 0 },
        headers: { 'idempotency-key': 'rotate-once' },
      })
    const first = expectStatus(await rotate(), 200)
    expect(expectStatus(await rotate(), 200).body).toEqual(first.body)
  })

  it('asks for its own usage with its query passed on as it was sent', async () => {
    const { tenantId, apiKey } = await createTenant(server)
    const reply = await server.send('GET', '/api/tenant/usage?groupBy=key,alias&interval=day', { apiKey })
    expect(reply.body).toEqual({ tenantId, query: { groupBy: 'key,alias', interval: 'day' } })
  })

  it('still looks at what it has while it is suspended, and changes nothing', async () => {
    const { tenantId, apiKey, etag } = await createTenant(server)
    expectStatus(await server.operate('POST', `/api/platform/tenants/${tenantId}/suspend`), 200)
    const { body } = expectStatus(await server.send('GET', '/api/tenant', { apiKey }), 200)
    expect(body.state).toBe('suspended')
    expectStatus(await server.send('GET', '/api/tenant/usage', { apiKey }), 200)
    const refused = await server.send('PATCH', '/api/tenant', {
      apiKey,
      body: { settings: {} },
      headers: { 'if-match': etag },
    })
    expect(refused).toMatchObject({ status: 403, body: { code: 'tenant_not_active' } })
  })
})
