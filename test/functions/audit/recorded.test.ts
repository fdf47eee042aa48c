import type { AuditEntry } from '../../../src/audit/audit-log'
import { verifyChain } from '../../../src/audit/verify-chain'
import { createBackend, createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { operatorToken, otherOperatorToken, serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

type Chain = { entries: AuditEntry[]; head: { sequence: number; hash: string } }
const ownAudit = async (apiKey: string, query = ''): Promise<Chain> =>
  expectStatus(await server.send('GET', `/api/tenant/audit${query}`, { apiKey }), 200).body
const platformAudit = async (): Promise<Chain> =>
  expectStatus(await server.operate('GET', '/api/platform/audit?limit=1000'), 200).body
const essence = ({ actor, action, target, outcome }: AuditEntry) => [actor.kind, action, target, outcome]
const last = ({ entries }: Chain) => entries.at(-1)

describe('a tenant’s chain', () => {
  it('has each change that the tenant made: who, what, to what, with which fields, and under which request', async () => {
    const { apiKey, keyId, etag } = await createTenant(server)
    const made = await createKey(server, apiKey)
    await server.send('POST', `/api/tenant/keys/${made.keyId}/rotate`, { apiKey, body: { overlapMs: 0 } })
    await server.send('PATCH', '/api/tenant', {
      apiKey,
      body: { settings: { hidePromptFilterChunk: true } },
      headers: { 'if-match': etag, 'x-request-id': 'mine' },
    })
    await server.send('DELETE', `/api/tenant/keys/${made.keyId}`, { apiKey })

    const { entries } = await ownAudit(apiKey)
    const changes = entries.filter(({ actor }) => actor.kind === 'key')
    expect(changes.map(essence)).toEqual([
      ['key', 'keys.manage', '/api/tenant/keys', 'done'],
      ['key', 'keys.manage', `/api/tenant/keys/${made.keyId}/rotate`, 'done'],
      ['key', 'tenant.update', '/api/tenant', 'done'],
      ['key', 'keys.manage', `/api/tenant/keys/${made.keyId}`, 'done'],
    ])
    expect(changes[2]).toMatchObject({
      actor: { kind: 'key', id: keyId },
      requestId: 'mine',
      details: { method: 'PATCH', status: 200, fields: 'settings' },
    })
    expect(changes[0]?.details).toMatchObject({ status: 201, made: `/api/tenant/keys/${made.keyId}` })
  })

  it('has what operators did to the tenant and what of it they looked at', async () => {
    const { tenantId, apiKey } = await createTenant(server)
    const path = `/api/platform/tenants/${tenantId}`
    await server.operate('GET', path)
    await server.operate('GET', `${path}/keys`)
    await server.operate('PATCH', path, { displayName: 'Other' }, { 'if-match': '*' })
    const entries = (await ownAudit(apiKey)).entries.slice(-3)
    expect(entries.map(essence)).toEqual([
      ['operator', 'platform.tenants.read', path, 'done'],
      ['operator', 'platform.keys.read', `${path}/keys`, 'done'],
      ['operator', 'platform.tenants.manage', path, 'done'],
    ])
  })

  it('has reads of the tenant’s usage and audit, and none of its other reads', async () => {
    const { apiKey } = await createTenant(server)
    for (const path of ['/api/tenant', '/api/tenant/usage', '/api/tenant/keys', '/api/tenant/audit'])
      expectStatus(await server.send('GET', path, { apiKey }), 200)
    const reads = (await ownAudit(apiKey)).entries.filter(({ actor }) => actor.kind === 'key')
    expect(reads.map(({ action }) => action)).toEqual(['usage.read', 'audit.read'])
  })

  it('tells an attempt from a deed: refused for its scope, its version, its body or its target', async () => {
    const { apiKey } = await createTenant(server)
    const weak = await createKey(server, apiKey, { scopes: ['read-only'] })
    const patch = (headers: Record<string, string>, body: object) =>
      server.send('PATCH', '/api/tenant', { apiKey, body, headers })
    const settings = { hidePromptFilterChunk: true }
    expectStatus(await server.send('GET', '/api/tenant/keys', { apiKey: weak.apiKey }), 403)
    expectStatus(await patch({ 'if-match': '"99"' }, { settings }), 412)
    expectStatus(await patch({}, { settings }), 428)
    expectStatus(await patch({ 'if-match': '*' }, { settings: { no: 1 } }), 400)
    expectStatus(await server.send('DELETE', `/api/tenant/keys/key_${'0'.repeat(26)}`, { apiKey }), 404)

    const refused = (await ownAudit(apiKey)).entries.filter(({ outcome }) => outcome !== 'done')
    expect(refused.map(({ outcome, details }) => [outcome, details?.['status'], details?.['code']])).toEqual([
      ['refused', 403, 'insufficient_scope'],
      ['refused', 412, 'precondition_failed'],
      ['refused', 428, 'precondition_required'],
      ['refused', 400, 'invalid_request'],
      ['refused', 404, 'not_found'],
    ])
    expect(refused[0]?.actor.id).toBe(weak.keyId)
  })

  it('shows a change asked for again under its Idempotency-Key as the repetition that it is', async () => {
    const { apiKey } = await createTenant(server)
    const create = () =>
      server.send('POST', '/api/tenant/keys', { apiKey, body: { name: 'x' }, headers: { 'idempotency-key': 'once' } })
    await create()
    await create()
    const details = (await ownAudit(apiKey)).entries.slice(-2).map((entry) => entry.details)
    expect(details[0]?.['replayed']).toBeUndefined()
    expect(details[1]).toMatchObject({ replayed: true, made: details[0]?.['made'] })
  })

  it('is read page by page, and verifies as a whole', async () => {
    const { apiKey } = await createTenant(server)
    for (let i = 0; i < 7; i++) await createKey(server, apiKey, { name: `key ${i}` })
    const entries: AuditEntry[] = []
    let page: Chain & { next?: number }
    do {
      page = await ownAudit(apiKey, `?limit=3&after=${entries.length}`)
      expect(page.entries.length).toBeLessThanOrEqual(3)
      entries.push(...page.entries)
    } while (page.next !== undefined)
    expect(verifyChain(entries, { end: page.head })).toMatchObject({ faults: [], entries: page.head.sequence })
  })

  it('is one without gaps and losses when two instances change things at once', async () => {
    await using second = await serveControlPlane({ storage: server.storage, clock: server.clock })
    const { apiKey } = await createTenant(server)
    const before = (await ownAudit(apiKey)).head.sequence
    // A writer that lost a race waits before it tries again, by a clock that somebody has to move.
    const ticking = setInterval(() => void server.clock.advance(50), 5)
    const made = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        (i % 2 ? second : server).send('POST', '/api/tenant/keys', { apiKey, body: { name: `key ${i}` } }),
      ),
    ).finally(() => clearInterval(ticking))
    const chain = await ownAudit(apiKey, '?limit=1000')
    expect(verifyChain(chain.entries, { end: chain.head }).faults).toEqual([])
    const recorded = chain.entries.filter(({ action, sequence }) => action === 'keys.manage' && sequence > before)
    expect(recorded.map(({ details }) => String(details?.['made'])).sort()).toEqual(
      made.map(({ body }) => `/api/tenant/keys/${body.keyId}`).sort(),
    )
  })

  it('is not begun by a made-up tenant’s id; the attempt is on the platform’s record', async () => {
    const path = `/api/platform/tenants/ten_${'7'.repeat(26)}`
    expectStatus(await server.operate('GET', path), 404)
    expect(last(await platformAudit())).toMatchObject({ target: path, outcome: 'refused' })
    const rows = server.storage.table('audit').listEntities({
      queryOptions: { filter: `PartitionKey eq 'ten_${'7'.repeat(26)}'` },
    })
    expect(await Array.fromAsync(rows)).toEqual([])
  })
})

describe('the platform’s chain', () => {
  it('has what concerns no single tenant, and tells operators apart', async () => {
    const backendId = await createBackend(server)
    await server.send('DELETE', `/api/platform/backends/${backendId}`, {
      headers: { authorization: `Bearer ${otherOperatorToken}` },
    })
    await server.operate('GET', '/api/platform/tenants')
    await server.operate('GET', '/api/platform/tiers')
    const [made, removed, listed] = (await platformAudit()).entries.slice(-3)
    expect(made).toMatchObject({
      action: 'platform.backends.manage',
      target: '/api/platform/backends',
      details: { made: `/api/platform/backends/${backendId}` },
    })
    expect(removed).toMatchObject({ target: `/api/platform/backends/${backendId}`, outcome: 'done' })
    expect(removed?.actor.id).not.toBe(made?.actor.id)
    expect(listed).toMatchObject({ action: 'platform.tenants.read', target: '/api/platform/tenants' })
  })

  it('is closed to tenants, as other tenants’ chains are', async () => {
    const [a, b] = [await createTenant(server), await createTenant(server)]
    for (const path of ['/api/platform/audit', `/api/platform/tenants/${b.tenantId}/audit`])
      expectStatus(await server.send('GET', path, { apiKey: a.apiKey }), 401)
    const own = await server.send('GET', `/api/tenant/audit?tenantId=${b.tenantId}`, { apiKey: a.apiKey })
    expect(own.status).toBe(400)
    expect(JSON.stringify(await ownAudit(a.apiKey))).not.toContain(b.tenantId)
  })
})

describe('no entry', () => {
  const canary = 'canary0secret0content'

  it('holds a secret or content, wherever a client put it', async () => {
    const { tenantId, apiKey } = await createTenant(server, { displayName: canary })
    const headers = { 'if-match': `"${canary}"`, 'idempotency-key': canary, 'x-tenant': canary }
    const send = (method: string, path: string, body?: unknown) => server.send(method, path, { apiKey, body, headers })
    await send('POST', '/api/tenant/keys', { name: canary })
    await send('POST', '/api/tenant/keys', { name: 'x', [canary]: canary })
    await send('PATCH', '/api/tenant', { settings: { [canary]: canary } })
    await send('DELETE', `/api/tenant/keys/${canary}`)
    await send('DELETE', `/api/tenant/keys/key_${canary}`)
    await send('GET', `/api/tenant/usage?from=${canary}`)
    await send('POST', `/api/tenant/keys?${canary}=${canary}`, canary)
    await server.operate('PATCH', `/api/platform/tenants/${tenantId}`, { displayName: canary }, { 'if-match': '*' })
    await server.operate('PATCH', `/api/platform/tenants/${tenantId}`, { [canary]: 1 }, { 'if-match': '*' })
    await server.operate('GET', `/api/platform/tenants/${canary}`)

    const stored = JSON.stringify(await Array.fromAsync(server.storage.table('audit').listEntities()))
    expect(stored.length).toBeGreaterThan(1_000)
    for (const secret of [canary, apiKey, operatorToken, otherOperatorToken]) expect(stored).not.toContain(secret)
    for (const entity of await Array.fromAsync(server.storage.table('audit').listEntities<{ entry?: string }>()))
      expect(entity.entry ?? '').not.toMatch(/tnk_/)
  })

  it('is written for somebody who is not known', async () => {
    const count = async () => (await Array.fromAsync(server.storage.table('audit').listEntities())).length
    const before = await count()
    expectStatus(await server.send('POST', '/api/tenant/keys', { apiKey: 'tnk_made_up', body: {} }), 401)
    expectStatus(await server.send('GET', '/api/platform/tenants'), 401)
    expectStatus(await server.send('GET', '/api/health'), 200)
    expect(await count()).toBe(before)
  })
})
