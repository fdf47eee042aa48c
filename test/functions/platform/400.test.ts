import { request } from 'node:http'
import { backendBody, chatAlias, createBackend, createTenant, tenantBody } from '../control-plane-fixtures'
import { operatorToken, serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
let backendId: string
let tenant: { tenantId: string; etag: string; apiKey: string }
beforeAll(async () => {
  server = await serveControlPlane()
  backendId = await createBackend(server)
  tenant = await createTenant(server)
})
afterAll(() => server.close())

const errorPaths = (body: { errors: { path: string }[] }) => body.errors.map(({ path }) => path)

describe('a tenant is not made of', () => {
  const group = (...ids: string[]) => ({ members: ids.map((id) => ({ backendId: id })) })
  const alias = (change: object) => ({ aliases: [{ ...chatAlias(backendId), ...change }] })
  const ownAlias = { name: 'chat', model: 'gpt-4.1-mini' }
  const deployment = { modelVersion: '2025-04-14', capacity: 10 }
  const dedicated = (change: object) => ({
    isolation: { models: 'dedicated' },
    aliases: [{ ...ownAlias, deployment, ...change }],
  })
  const account = (change: object = {}) => ({
    endpoint: 'https://contoso.openai.azure.com',
    directoryId: 'aaaaaaaa-0000-4000-8000-00000000000a',
    deployments: { chat: 'gpt' },
    credential: { kind: 'identity' },
    ...change,
  })
  const tenantOwned = (ownAccount: object | undefined) => ({
    isolation: { models: 'tenant-owned' },
    aliases: [ownAlias],
    ownAccount,
  })

  it.each<[string, () => object, string]>([
    ['an empty name', () => ({ displayName: '' }), 'displayName'],
    ['a name of blanks', () => ({ displayName: '   ' }), 'displayName'],
    ['a name above its bound', () => ({ displayName: 'x'.repeat(101) }), 'displayName'],
    ['a name that is no text', () => ({ displayName: 7 }), 'displayName'],
    ['a contact that is no address', () => ({ contact: { email: 'nobody' } }), 'contact.email'],
    ['a tier that does not exist', () => ({ tier: 'gold' }), 'tier'],
    ['a region in capitals', () => ({ region: 'SwedenCentral' }), 'region'],
    ['a residency above its bound', () => ({ residency: Array(21).fill('swedencentral') }), 'residency'],
    [
      'a deployment for an alias that shares one',
      () => alias({ deployment: { modelVersion: '2025-04-14', capacity: 1 } }),
      'aliases.0.deployment',
    ],
    ['deployments of its own that nobody says', () => dedicated({ deployment: undefined }), 'aliases.0.deployment'],
    [
      'no capacity',
      () => dedicated({ deployment: { modelVersion: '1', capacity: 0 } }),
      'aliases.0.deployment.capacity',
    ],
    [
      'more capacity than there is',
      () => dedicated({ deployment: { modelVersion: '1', capacity: 100_001 } }),
      'aliases.0.deployment.capacity',
    ],
    [
      'a sku that serves no calls',
      () => dedicated({ deployment: { modelVersion: '1', capacity: 1, sku: 'GlobalBatch' } }),
      'aliases.0.deployment.sku',
    ],
    ['own deployments and shared backends', () => dedicated({ groups: [group(backendId)] }), 'aliases.0.groups'],
    ['an account that only others have', () => ({ ownAccount: account() }), 'ownAccount'],
    ['an own account that nobody names', () => tenantOwned(undefined), 'ownAccount'],
    [
      'an own account without the alias’s deployment',
      () => tenantOwned(account({ deployments: {} })),
      'ownAccount.deployments.chat',
    ],
    [
      'an own account with a deployment for no alias',
      () => tenantOwned(account({ deployments: { chat: 'gpt', other: 'gpt' } })),
      'ownAccount.deployments.other',
    ],
    [
      'an own account by a token of no directory',
      () => tenantOwned(account({ directoryId: undefined })),
      'ownAccount.directoryId',
    ],
    [
      'an own account at an address that is not Azure’s',
      () => tenantOwned(account({ endpoint: 'https://openai.azure.com.thief.example' })),
      'ownAccount.endpoint',
    ],
    [
      'an own account by a secret with a slash',
      () => tenantOwned(account({ credential: { kind: 'tenant-secret', name: 'a/b' } })),
      'ownAccount.credential.name',
    ],
    [
      'an own account with a resource id of something else',
      () => tenantOwned(account({ resourceId: '/subscriptions/1' })),
      'ownAccount.resourceId',
    ],
    ['a data isolation that does not exist', () => ({ isolation: { data: 'none' } }), 'isolation.data'],
    ['an isolation that does not exist', () => ({ isolation: { models: 'none' } }), 'isolation.models'],
    ['a limit of zero', () => ({ limitOverrides: { requestsPerMinute: 0 } }), 'limitOverrides.requestsPerMinute'],
    [
      'a limit that is no whole number',
      () => ({ limitOverrides: { tokensPerMinute: 1.5 } }),
      'limitOverrides.tokensPerMinute',
    ],
    [
      'a limit above its tier',
      () => ({ tier: 'free', limitOverrides: { concurrentCalls: 9 } }),
      'limitOverrides.concurrentCalls',
    ],
    ['a limit that does not exist', () => ({ limitOverrides: { perHour: 1 } }), 'limitOverrides.perHour'],
    ['a field that does not exist', () => ({ colour: 'red' }), 'colour'],
    ['a state of its client’s choice', () => ({ state: 'active' }), 'state'],
    ['an id of its client’s choice', () => ({ tenantId: 'ten_00000000000000000000000001' }), 'tenantId'],
    ['an alias with a slash', () => alias({ name: 'a/b' }), 'aliases.0.name'],
    ['an alias that begins with a dot', () => alias({ name: '.a' }), 'aliases.0.name'],
    ['an alias above its bound', () => alias({ name: 'a'.repeat(65) }), 'aliases.0.name'],
    ['an alias without backends', () => alias({ groups: [] }), 'aliases.0.groups'],
    ['a group without backends', () => alias({ groups: [{ members: [] }] }), 'aliases.0.groups.0.members'],
    ['more groups than the bound', () => alias({ groups: Array(5).fill(group(backendId)) }), 'aliases.0.groups'],
    [
      'more members than the bound',
      () => alias({ groups: [group(...Array<string>(9).fill(backendId))] }),
      'aliases.0.groups.0.members',
    ],
    ['a backend that is no id', () => alias({ groups: [group('sweden')] }), 'aliases.0.groups.0.members.0.backendId'],
    [
      'a backend that does not exist',
      () => alias({ groups: [group(`bke_${'0'.repeat(26)}`)] }),
      'aliases.0.groups.0.members.0.backendId',
    ],
    [
      'a weight of zero',
      () => alias({ groups: [{ members: [{ backendId, weight: 0 }] }] }),
      'aliases.0.groups.0.members.0.weight',
    ],
    ['a model nobody knows, with nothing said of it', () => alias({ model: 'llama3.2' }), 'aliases.0.capabilities'],
    ['a capability that does not exist', () => alias({ capabilities: ['video'] }), 'aliases.0.capabilities.0'],
    ['a cap above its tier', () => alias({ outputTokensMax: 16_385 }), 'aliases.0.outputTokensMax'],
    ['a cap of zero', () => alias({ outputTokensMax: 0 }), 'aliases.0.outputTokensMax'],
    ['two aliases of one name', () => ({ aliases: [chatAlias(backendId), chatAlias(backendId)] }), 'aliases.1.name'],
    [
      'more aliases than its tier allows',
      () => ({
        tier: 'free',
        aliases: Array.from({ length: 6 }, (_, i) => ({ ...chatAlias(backendId), name: `a${i}` })),
      }),
      'aliases',
    ],
  ])('%s, and the answer names the field', async (_, change, path) => {
    const before = (await server.operate('GET', '/api/platform/tenants?limit=100')).body.tenants.length
    const reply = await server.operate('POST', '/api/platform/tenants', { ...tenantBody, ...change() })
    expect(reply.status).toBe(400)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_request', title: expect.any(String) })
    expect(errorPaths(reply.body)).toContain(path)
    expect(reply.body.requestId).toBe(reply.headers.get('x-request-id'))
    expect((await server.operate('GET', '/api/platform/tenants?limit=100')).body.tenants).toHaveLength(before)
  })

  it('several wrong fields, and the answer names them all', async () => {
    const reply = await server.operate('POST', '/api/platform/tenants', { tier: 'gold', region: 7 })
    expect(errorPaths(reply.body).sort()).toEqual(['contact', 'displayName', 'region', 'tier'])
  })

  it('a field called __proto__, and no object is touched by it', async () => {
    const reply = await server.operate(
      'POST',
      '/api/platform/tenants',
      '{"__proto__":{"polluted":true},"displayName":"a"}',
    )
    expect(reply.status).toBe(400)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('a tenant is not changed by', () => {
  it.each<[string, object, string]>([
    ['a region, since moving is another matter', { region: 'westeurope' }, 'region'],
    ['a state', { state: 'suspended' }, 'state'],
    ['a version', { version: 9 }, 'version'],
    ['a limit above its tier', { limitOverrides: { tokensPerMinute: 1_000_001 } }, 'limitOverrides.tokensPerMinute'],
    ['a setting that does not exist', { settings: { fast: true } }, 'settings.fast'],
  ])('%s', async (_, patch, path) => {
    const url = `/api/platform/tenants/${tenant.tenantId}`
    const reply = await server.operate('PATCH', url, patch, { 'if-match': tenant.etag })
    expect(reply.status).toBe(400)
    expect(errorPaths(reply.body)).toContain(path)
    expect((await server.operate('GET', url)).headers.get('etag')).toBe(tenant.etag)
  })

  it('a lower tier below whose bounds its own limits do not fit', async () => {
    const made = await createTenant(server, { limitOverrides: { concurrentCalls: 500 } })
    const url = `/api/platform/tenants/${made.tenantId}`
    const reply = await server.operate('PATCH', url, { tier: 'free' }, { 'if-match': made.etag })
    expect(errorPaths(reply.body)).toEqual(['limitOverrides.concurrentCalls'])
    const both = { tier: 'free', limitOverrides: { concurrentCalls: null } }
    expect((await server.operate('PATCH', url, both, { 'if-match': made.etag })).status).toBe(200)
  })
})

describe('a backend is not made of', () => {
  it.each<[string, object, string]>([
    ['an address in clear text beyond this machine', { endpoint: 'http://sweden.openai.azure.com' }, 'endpoint'],
    ['an address of this machine’s name as a prefix', { endpoint: 'http://localhost.evil.example' }, 'endpoint'],
    ['an address with credentials', { endpoint: 'https://me:secret@host.example' }, 'endpoint'],
    ['an address with a query', { endpoint: 'https://host.example/?key=1' }, 'endpoint'],
    ['an address of another scheme', { endpoint: 'file:///etc/passwd' }, 'endpoint'],
    ['no address', { endpoint: 'sweden' }, 'endpoint'],
    [
      'a key in place of its setting’s name',
      { credential: { kind: 'api-key', setting: 'sk-12345' } },
      'credential.setting',
    ],
    [
      'a setting that holds another secret',
      { credential: { kind: 'api-key', setting: 'TENANTRY_KEY_PEPPER' } },
      'credential.setting',
    ],
    ['a credential that does not exist', { credential: { kind: 'password' } }, 'credential.kind'],
    ['an API that does not exist', { api: { kind: 'gemini' } }, 'api.kind'],
    ['an api-version that is none', { api: { kind: 'azure-openai', apiVersion: 'newest' } }, 'api.apiVersion'],
    ['a deployment that leads elsewhere', { deployment: '../../admin' }, 'deployment'],
    ['a capacity that does not exist', { capacity: 'spot' }, 'capacity'],
    ['an id of its client’s choice', { id: 'bke_1' }, 'id'],
  ])('%s', async (_, change, path) => {
    const reply = await server.operate('POST', '/api/platform/backends', { ...backendBody, ...change })
    expect(reply.status).toBe(400)
    expect(errorPaths(reply.body)).toContain(path)
  })
})

describe('a query is refused', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=ten', 'limit'],
    ['after=somewhere', 'after'],
    ['page=2', 'page'],
  ])('for %s', async (query, path) => {
    const reply = await server.operate('GET', `/api/platform/tenants?${query}`)
    expect(reply.status).toBe(400)
    expect(errorPaths(reply.body)).toEqual([path])
  })
})

describe('a body is refused', () => {
  const post = (body: string, headers?: Record<string, string>) =>
    server.operate('POST', '/api/platform/tenants', body, headers)

  it.each<[string, string, number, string]>([
    ['that is empty', '', 400, 'invalid_json'],
    ['that is no JSON', '{"a":', 400, 'invalid_json'],
    ['that is no object', '[]', 400, 'invalid_request'],
    ['that is null', 'null', 400, 'invalid_request'],
    ['one byte above the bound', `{"displayName":"${'x'.repeat(1_048_576 - 17)}"}`, 413, 'body_too_large'],
  ])('%s', async (_, body, status, code) => {
    expect(await post(body)).toMatchObject({ status, body: { code } })
  })

  it('for its fields only, and not for its size, at exactly the bound', async () => {
    const body = `{"displayName":"${'x'.repeat(1_048_576 - 18)}"}`
    expect(Buffer.byteLength(body)).toBe(1_048_576)
    expect(await post(body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  })

  it('that is not UTF-8', async () => {
    const response = await fetch(`${server.url}/api/platform/tenants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
      body: new Uint8Array([0x7b, 0xff, 0x7d]),
    })
    expect(await response.json()).toMatchObject({ code: 'invalid_json' })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])('as %s', async (type) => {
    expect(await post('{}', { 'content-type': type })).toMatchObject({ status: 415 })
  })

  it.each(['application/json; charset=utf-8', 'application/merge-patch+json'])('not as %s', async (type) => {
    expect(await post('{}', { 'content-type': type })).toMatchObject({ status: 400 })
  })

  it('that grows beyond the bound without saying so beforehand, before all of it has come', async () => {
    const sent = await sendEndless(server.url)
    expect(sent.status).toBe(413)
    expect(sent.bytes).toBeLessThan(16 * 1_048_576)
  })

  it('that does not come to its end in time', async () => {
    const open = request(`${server.url}/api/platform/tenants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    })
    open.on('error', () => {})
    open.write('{"displayName":')
    const status = new Promise((resolve) => open.on('response', (response) => resolve(response.statusCode)))
    // Time is counted from when the request has come in.
    let answered: unknown
    while (answered === undefined) answered = await Promise.race([status, server.clock.advance(30_000)])
    expect(answered).toBe(408)
    open.destroy()
  })
})

/** Sends chunks without a content-length for as long as nobody answers. */
function sendEndless(url: string): Promise<{ status: number | undefined; bytes: number }> {
  const chunk = Buffer.alloc(65_536, ' ')
  return new Promise((resolve) => {
    let bytes = 0
    let answered = false
    const open = request(`${url}/api/platform/tenants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    })
    const more = () => {
      if (answered) return
      bytes += chunk.byteLength
      if (open.write(chunk)) setImmediate(more)
      else open.once('drain', more)
    }
    open.on('error', () => {})
    open.on('response', (response) => {
      answered = true
      response.resume()
      resolve({ status: response.statusCode, bytes })
      open.destroy()
    })
    more()
  })
}
