import {
  backendBody,
  chatAlias,
  createBackend,
  createTenant,
  expectStatus,
  tenantBody,
} from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

describe('an operator', () => {
  it('starts a tenant’s onboarding and is told where to watch it', async () => {
    const backendId = await createBackend(server)
    const reply = await server.operate('POST', '/api/platform/tenants', {
      ...tenantBody,
      tier: 'premium',
      aliases: [chatAlias(backendId)],
      limitOverrides: { tokensPerMinute: 5_000_000 },
    })

    expect(reply.status).toBe(202)
    const { tenantId, onboardingId, statusUrl } = reply.body
    expect(onboardingId.slice('onb_'.length)).toBe(tenantId.slice('ten_'.length))
    expect(statusUrl).toBe(`/api/platform/operations/${onboardingId}`)
    expect(reply.headers.get('cache-control')).toBe('no-store')

    const snapshot = await server.parts.snapshots.get(tenantId)
    expect(snapshot).toMatchObject({
      state: 'active',
      weight: 4,
      limits: { tokensPerMinute: 5_000_000, requestsPerMinute: 6_000 },
      aliases: { chat: { model: 'gpt-4.1-mini', capabilities: ['chat'], outputTokensMax: 32_768 } },
    })
  })

  it('lists every tenant once, page by page, the oldest first', async () => {
    const made: string[] = []
    for (let i = 0; i < 5; i++) {
      made.push((await createTenant(server)).tenantId)
      await server.clock.advance(1)
    }
    const seen: string[] = []
    let next: string | undefined
    do {
      const query = next ? `?limit=2&after=${next}` : '?limit=2'
      const { body } = expectStatus(await server.operate('GET', `/api/platform/tenants${query}`), 200)
      expect(body.tenants.length).toBeLessThanOrEqual(2)
      seen.push(...body.tenants.map(({ tenantId }: { tenantId: string }) => tenantId))
      next = body.next
    } while (next)
    expect(seen.filter((id) => made.includes(id))).toEqual(made)
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('sees the directory with which a tenant was made', async () => {
    const directory = { directoryId: 'dddddddd-0000-4000-8000-0000000000d1' }
    const { tenantId } = await createTenant(server, { directory })
    const { body } = expectStatus(await server.operate('GET', `/api/platform/tenants/${tenantId}`), 200)
    expect(body).toMatchObject({ directory })
  })

  it('changes a tenant, and the data path sees the change', async () => {
    const backendId = await createBackend(server)
    const tenant = await createTenant(server, { limitOverrides: { concurrentCalls: 7 } })
    const path = `/api/platform/tenants/${tenant.tenantId}`
    const patch = {
      tier: 'premium',
      residency: ['swedencentral'],
      aliases: [chatAlias(backendId)],
      limitOverrides: { concurrentCalls: null, requestsPerMinute: 9 },
      settings: { hidePromptFilterChunk: true },
    }
    const reply = expectStatus(await server.operate('PATCH', path, patch, { 'if-match': tenant.etag }), 200)

    expect(reply.body.limitOverrides).toEqual({ requestsPerMinute: 9 })
    expect(reply.body.limits).toEqual({ requestsPerMinute: 9, tokensPerMinute: 1_000_000, concurrentCalls: 500 })
    expect(reply.headers.get('etag')).not.toBe(tenant.etag)
    expect(await server.parts.snapshots.get(reply.body.tenantId)).toMatchObject({
      version: reply.body.version,
      limits: { requestsPerMinute: 9, concurrentCalls: 500 },
      residency: ['swedencentral'],
      aliases: { chat: { groups: [{ members: [{ backendId, weight: 1 }] }] } },
      settings: { hidePromptFilterChunk: true },
    })
  })

  it('suspends and resumes a tenant, and may ask for either twice', async () => {
    const { tenantId } = await createTenant(server)
    const path = `/api/platform/tenants/${tenantId}`
    for (const [action, state] of [
      ['suspend', 'suspended'],
      ['suspend', 'suspended'],
      ['resume', 'active'],
      ['resume', 'active'],
    ]) {
      const reply = expectStatus(await server.operate('POST', `${path}/${action}`), 200)
      expect(reply.body.state).toBe(state)
    }
  })

  it('makes, changes, replaces and deletes a backend, and the data path follows', async () => {
    const id = await createBackend(server)
    const path = `/api/platform/backends/${id}`
    const read = expectStatus(await server.operate('GET', path), 200)
    expect(read.body).toMatchObject({ ...backendBody, id, capacity: 'payg', enabled: true })

    const etag = read.headers.get('etag') ?? ''
    const patched = expectStatus(await server.operate('PATCH', path, { enabled: false }, { 'if-match': etag }), 200)
    expect(patched.body).toMatchObject({ ...backendBody, enabled: false })
    expect((await server.parts.backends.all()).get(patched.body.id)).toMatchObject({ enabled: false })

    const ollama = { ...backendBody, api: { kind: 'openai-compatible' }, endpoint: 'http://localhost:11434/v1/' }
    const put = await server.operate('PUT', path, ollama, { 'if-match': patched.headers.get('etag') ?? '' })
    expect(expectStatus(put, 200).body).toMatchObject({ endpoint: 'http://localhost:11434/v1', enabled: true })

    const listed = await server.operate('GET', '/api/platform/backends')
    expect(listed.body.backends.map((backend: { id: string }) => backend.id)).toContain(id)

    expectStatus(await server.operate('DELETE', path), 204)
    expectStatus(await server.operate('GET', path), 404)
    expect((await server.parts.backends.all()).has(patched.body.id)).toBe(false)
  })

  it('reads the tiers', async () => {
    const { body } = expectStatus(await server.operate('GET', '/api/platform/tiers'), 200)
    expect(body.tiers.map(({ name }: { name: string }) => name)).toEqual(['free', 'standard', 'premium'])
  })

  it('makes and lists keys of a tenant', async () => {
    const { tenantId, keyId } = await createTenant(server)
    const path = `/api/platform/tenants/${tenantId}/keys`
    await server.clock.advance(1)
    const made = expectStatus(await server.operate('POST', path, { name: 'second', scopes: ['read-only'] }), 201)
    const { body, text } = expectStatus(await server.operate('GET', path), 200)
    expect(body.keys.map((key: { keyId: string }) => key.keyId)).toEqual([keyId, made.body.keyId])
    expect(text).not.toContain(made.body.apiKey)
  })
})

describe('an operator who looks at the instance', () => {
  it('sees its parts and the backends that are in trouble, by name', async () => {
    const { id } = expectStatus(await server.operate('POST', '/api/platform/backends', backendBody), 201).body
    const { body } = expectStatus(await server.operate('GET', '/api/platform/health'), 200)
    expect(body).toMatchObject({ status: 'ready', version: '1.2.3', instanceId: expect.stringMatching(/^ins_/) })
    expect(body.backends).toMatchObject({ troubled: 0, shown: [] })

    for (let i = 0; i < 5; i++) {
      const attempt = server.parts.backendHealth.begin(id, 'ten_a')
      if (attempt.kind === 'begun') attempt.failed('unreachable')
    }
    const later = expectStatus(await server.operate('GET', '/api/platform/health'), 200).body
    expect(later.backends.shown).toEqual([
      {
        id,
        name: backendBody.name,
        state: 'broken',
        lastError: 'unreachable',
        since: new Date(server.clock.now()).toISOString(),
        retryAfterMs: 5_000,
      },
    ])
  })
})

describe('anyone', () => {
  it('reads whether the instance lives, and whether calls should come to it', async () => {
    const { body } = expectStatus(await server.send('GET', '/api/health'), 200)
    expect(body).toEqual({ status: 'ok' })
    const ready = expectStatus(await server.send('GET', '/api/health/ready'), 200)
    expect(ready.body).toEqual({ status: 'ready', parts: { storage: 'ok', 'usage-log': 'ok', backends: 'ok' } })
  })

  it('gets its own sane request id back, and a new one for any other', async () => {
    const sane = await server.send('GET', '/api/health', { headers: { 'x-request-id': 'mine-1.2:3' } })
    expect(sane.headers.get('x-request-id')).toBe('mine-1.2:3')
    for (const insane of ['with space', 'x'.repeat(129), '"quoted"']) {
      const reply = await server.send('GET', '/api/health', { headers: { 'x-request-id': insane } })
      expect(reply.headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{24}$/)
    }
  })
})
