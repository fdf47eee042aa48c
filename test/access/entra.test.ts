import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { createEntraTokens } from '../../src/access/entra-tokens'
import { AUDIENCE, startEntraIssuer, type EntraIssuer } from './entra-issuer'

const CONTOSO = 'aaaaaaaa-0000-4000-8000-000000000001'
const FABRIKAM = 'bbbbbbbb-0000-4000-8000-000000000002'
const ANN = '99999999-0000-4000-8000-00000000000a'
const BOB = '99999999-0000-4000-8000-00000000000b'

let issuer: EntraIssuer
let server: ControlPlaneServer
beforeAll(async () => {
  issuer = await startEntraIssuer()
  server = await serveControlPlane({ entra: { authority: issuer.authority, audiences: [AUDIENCE] } })
})
afterAll(async () => {
  await server.close()
  await issuer.close()
})

const as = (token: string, method = 'GET', path = '/api/tenant', body?: unknown) =>
  server.send(method, path, { body, headers: { authorization: `Bearer ${token}` } })

/** A tenant with its directory, whose owner is Ann. */
async function tenantOf(directoryId: string) {
  const tenant = await createTenant(server)
  const path = `/api/platform/tenants/${tenant.tenantId}`
  expectStatus(await server.operate('POST', `${path}/directories`, { directoryId }), 201)
  expectStatus(await server.operate('POST', `${path}/members`, { directoryId, objectId: ANN, role: 'owner' }), 201)
  return tenant
}

describe('an Entra token', () => {
  let contoso: Awaited<ReturnType<typeof tenantOf>>
  beforeAll(async () => {
    contoso = await tenantOf(CONTOSO)
  })

  it('of a member speaks for the directory’s tenant', async () => {
    const reply = await as(await issuer.token(CONTOSO, { oid: ANN, scp: 'access' }))
    expect(expectStatus(reply, 200).body).toMatchObject({ tenantId: contoso.tenantId })
  })

  it('may do what its role may, and is told what it lacks', async () => {
    const viewer = await issuer.token(CONTOSO, { oid: BOB, roles: ['Tenantry.Viewer'] })
    expectStatus(await as(viewer), 200)
    const reply = await as(viewer, 'POST', '/api/tenant/keys', { name: 'mine' })
    expect(reply).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } })
    expect(reply.text).toContain('keys.manage')
  })

  it('of an app role that the directory gave counts until the tenant gives another', async () => {
    const token = await issuer.token(CONTOSO, { oid: BOB, roles: ['Tenantry.Owner'] })
    expectStatus(await as(token, 'GET', '/api/tenant/members'), 200)
    const path = `/api/platform/tenants/${contoso.tenantId}/members`
    expectStatus(await server.operate('POST', path, { directoryId: CONTOSO, objectId: BOB, role: 'viewer' }), 201)
    expectStatus(await as(token, 'GET', '/api/tenant/members'), 403)
  })

  it.each<[string, () => Promise<string>]>([
    ['of a directory that is nobody’s', () => issuer.token(FABRIKAM, { oid: ANN })],
    ['of somebody without a role', () => issuer.token(CONTOSO, { oid: '99999999-0000-4000-8000-0000000000ff' })],
    ['for another audience', () => issuer.token(CONTOSO, { oid: ANN, aud: 'https://graph.microsoft.com' })],
    ['that has expired', () => issuer.token(CONTOSO, { oid: ANN, exp: Math.floor(Date.now() / 1_000) - 400 })],
    ['that is not valid yet', () => issuer.token(CONTOSO, { oid: ANN, nbf: Math.floor(Date.now() / 1_000) + 400 })],
    ['without an end', () => issuer.token(CONTOSO, { oid: ANN, exp: undefined })],
    ['whose issuer is another directory’s', () => issuer.token(FABRIKAM, { oid: ANN, tid: CONTOSO })],
    ['whose directory is no GUID', () => issuer.token('common', { oid: ANN, tid: 'common' })],
    ['without an object id', () => issuer.token(CONTOSO, { oid: undefined })],
    ['whose signature is cut', async () => (await issuer.token(CONTOSO, { oid: ANN })).slice(0, -4)],
    [
      'that is signed with nothing',
      async () => {
        const [, payload = ''] = (await issuer.token(CONTOSO, { oid: ANN })).split('.')
        return `${Buffer.from('{"alg":"none","kid":"key-0"}').toString('base64url')}.${payload}.`
      },
    ],
  ])('%s is refused, and costs no read of storage before its signature holds', async (_, make) => {
    const token = await make()
    expect(await as(token)).toMatchObject({ status: 401, body: { code: 'invalid_api_key' } })
  })

  it('whose signature does not hold is refused without a read of storage', async () => {
    const token = `${(await issuer.token(CONTOSO, { oid: ANN })).slice(0, -6)}AAAAAA`
    const before = server.tableRequests()
    expect((await as(token)).status).toBe(401)
    expect(server.tableRequests()).toBe(before)
  })

  it('costs nothing the second time: no keys, no storage', async () => {
    const token = await issuer.token(CONTOSO, { oid: ANN })
    const authenticate = () => server.parts.authenticator.authenticate({ kind: 'entra-token', text: token })
    await authenticate()
    const [requests, fetches] = [server.tableRequests(), issuer.fetches()]
    for (let i = 0; i < 20; i++)
      expect(await authenticate()).toMatchObject({ tenantId: contoso.tenantId, role: 'owner' })
    expect([server.tableRequests(), issuer.fetches()]).toEqual([requests, fetches])
  })

  it('of a member that was removed is refused at once here, and elsewhere within 30 s', async () => {
    const objectId = '99999999-0000-4000-8000-00000000000c'
    const elsewhere = await serveControlPlane({
      storage: server.storage,
      clock: server.clock,
      entra: { authority: issuer.authority, audiences: [AUDIENCE] },
    })
    const path = `/api/platform/tenants/${contoso.tenantId}/members`
    expectStatus(await server.operate('POST', path, { directoryId: CONTOSO, objectId, role: 'developer' }), 201)
    const token = await issuer.token(CONTOSO, { oid: objectId })
    const there = () => elsewhere.send('GET', '/api/tenant', { headers: { authorization: `Bearer ${token}` } })
    expectStatus(await there(), 200)
    expectStatus(await as(token), 200)
    const owner = await issuer.token(CONTOSO, { oid: ANN })
    expectStatus(await as(owner, 'DELETE', `/api/tenant/members/${CONTOSO}~${objectId}`), 204)
    expectStatus(await as(token), 401)
    await server.clock.advance(30_000)
    expectStatus(await there(), 401)
    await elsewhere.close()
  })

  it('of a removed member is refused with an app role too, here and elsewhere, until the member is added again', async () => {
    const [objectId, other] = ['99999999-0000-4000-8000-00000000000d', '99999999-0000-4000-8000-00000000000e']
    await using elsewhere = await serveControlPlane({
      storage: server.storage,
      clock: server.clock,
      entra: { authority: issuer.authority, audiences: [AUDIENCE] },
    })
    const [token, othersToken, owner] = await Promise.all([
      issuer.token(CONTOSO, { oid: objectId, roles: ['Tenantry.Admin'] }),
      issuer.token(CONTOSO, { oid: other, roles: ['Tenantry.Admin'] }),
      issuer.token(CONTOSO, { oid: ANN }),
    ])
    const there = () => elsewhere.send('GET', '/api/tenant', { headers: { authorization: `Bearer ${token}` } })
    const add = () => as(owner, 'POST', '/api/tenant/members', { directoryId: CONTOSO, objectId, role: 'viewer' })
    const member = `/api/tenant/members/${CONTOSO}~${objectId}`
    expectStatus(await add(), 201)
    expectStatus(await there(), 200)

    expectStatus(await as(owner, 'DELETE', member), 204)
    expectStatus(await as(token), 401)
    await server.clock.advance(30_000)
    expectStatus(await there(), 401)
    expectStatus(await as(token), 401)
    // Gone for those who look, too: no member, and nothing to remove.
    const { members } = expectStatus(await as(owner, 'GET', '/api/tenant/members'), 200).body
    expect(members.map((each: { objectId: string }) => each.objectId)).not.toContain(objectId)
    expectStatus(await as(owner, 'DELETE', member), 404)
    // An app role alone, of somebody who never was a member, goes on counting.
    expectStatus(await as(othersToken), 200)

    expectStatus(await add(), 201)
    expectStatus(await as(token), 200)
    expectStatus(await as(token, 'POST', '/api/tenant/keys', { name: 'x' }), 403)
  })

  it('is one credential id in usage, whatever its tokens', async () => {
    const callerOf = async (claims: object) => {
      const text = await issuer.token(CONTOSO, { oid: ANN, ...claims })
      return server.parts.authenticator.authenticate({ kind: 'entra-token', text })
    }
    const [one, other] = [await callerOf({}), await callerOf({ uti: 'another' })]
    expect(one).toMatchObject({ callerId: expect.stringMatching(/^ent_[0-9a-z]{24}$/) })
    expect(other).toEqual(one)
  })
})

describe('a directory', () => {
  it('belongs to one tenant; another is told nothing of whose it is', async () => {
    const first = await tenantOf('cccccccc-0000-4000-8000-000000000003')
    const second = await createTenant(server)
    const path = `/api/platform/tenants/${second.tenantId}/directories`
    const reply = await server.operate('POST', path, { directoryId: 'CCCCCCCC-0000-4000-8000-000000000003' })
    expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } })
    expect(reply.text).not.toContain(first.tenantId)
  })

  it('lets nobody of it in once it is unlinked, and can be linked elsewhere then', async () => {
    const directoryId = 'dddddddd-0000-4000-8000-000000000004'
    const tenant = await tenantOf(directoryId)
    const token = await issuer.token(directoryId, { oid: ANN })
    expectStatus(await as(token), 200)
    expectStatus(
      await server.operate('DELETE', `/api/platform/tenants/${tenant.tenantId}/directories/${directoryId}`),
      204,
    )
    await server.clock.advance(30_000)
    expectStatus(await as(token), 401)
    await tenantOf(directoryId)
  })
})

describe('members', () => {
  it('always have an owner among them', async () => {
    const directoryId = 'eeeeeeee-0000-4000-8000-000000000005'
    await tenantOf(directoryId)
    const owner = await issuer.token(directoryId, { oid: ANN })
    const ann = `/api/tenant/members/${directoryId}~${ANN}`
    expectStatus(await as(owner, 'DELETE', ann), 409)
    expectStatus(await as(owner, 'PATCH', ann, { role: 'viewer' }), 409)
    expectStatus(await as(owner, 'POST', '/api/tenant/members', { directoryId, objectId: BOB, role: 'owner' }), 201)
    expectStatus(await as(owner, 'PATCH', ann, { role: 'viewer' }), 200)
    expectStatus(await as(owner, 'DELETE', `/api/tenant/members/${directoryId}~${BOB}`), 403)
  })

  it('are of the tenant’s own directories only', async () => {
    const directoryId = 'ffffffff-0000-4000-8000-000000000006'
    await tenantOf(directoryId)
    const owner = await issuer.token(directoryId, { oid: ANN })
    const body = { directoryId: CONTOSO, objectId: BOB, role: 'admin' }
    const reply = expectStatus(await as(owner, 'POST', '/api/tenant/members', body), 400)
    expect(reply.body.detail).toContain('directoryId')
  })
})

describe('the keys of the authority', () => {
  it('that name an issuer sign for that one only', async () => {
    const picky = await startEntraIssuer(['{authority}/aaaaaaaa-0000-4000-8000-000000000001/v2.0'])
    const tokens = createEntraTokens({ authority: picky.authority, audiences: [AUDIENCE] })
    expect(await tokens.verify(await picky.token(CONTOSO))).toMatchObject({ directoryId: CONTOSO })
    expect(await tokens.verify(await picky.token(FABRIKAM))).toBeUndefined()
    await picky.close()
  })

  it('that cannot be had make a token unverifiable for now, not wrong', async () => {
    const down = await startEntraIssuer()
    down.breakKeys()
    const tokens = createEntraTokens({ authority: down.authority, audiences: [AUDIENCE] })
    await expect(tokens.verify(await down.token(CONTOSO))).rejects.toMatchObject({
      problem: { code: 'identity_unavailable' },
    })
    await down.close()
  })
})
