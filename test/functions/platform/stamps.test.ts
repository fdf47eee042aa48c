import { expectStatus, stampBody } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

const { resourceGroupId: group } = stampBody
const account = `${group}/providers/Microsoft.CognitiveServices/accounts/models-1`
const create = async (change: object = {}, headers: Record<string, string> = {}) =>
  server.operate('POST', '/api/platform/stamps', { ...stampBody, ...change }, headers)

describe('a stamp', () => {
  it('is made, read, changed and removed', async () => {
    const made = expectStatus(await create(), 201)
    expect(made.body).toMatchObject({ ...stampBody, acceptsTenants: true, reservedFor: null, version: 1 })
    const path = `/api/platform/stamps/${made.body.id}`
    expect(made.headers.get('location')).toBe(path)
    const etag = made.headers.get('etag') ?? ''
    const changed = expectStatus(
      await server.operate('PATCH', path, { acceptsTenants: false }, { 'if-match': etag }),
      200,
    )
    expect(changed.body).toMatchObject({ ...stampBody, acceptsTenants: false, version: 2 })
    expect(expectStatus(await server.operate('GET', path), 200).body).toEqual(changed.body)
    const now = changed.headers.get('etag') ?? ''
    expectStatus(await server.operate('DELETE', path, undefined, { 'if-match': now }), 204)
    expectStatus(await server.operate('GET', path), 404)
    expectStatus(await server.operate('PATCH', path, {}, { 'if-match': '*' }), 404)
  })

  it('is not changed or removed by one who read an older version, or none', async () => {
    const { body, headers } = expectStatus(await create(), 201)
    const path = `/api/platform/stamps/${body.id}`
    const old = { 'if-match': headers.get('etag') ?? '' }
    expectStatus(await server.operate('PATCH', path, { name: 'new' }, old), 200)
    expectStatus(await server.operate('PATCH', path, { name: 'newer' }, old), 412)
    expectStatus(await server.operate('DELETE', path, undefined, old), 412)
    expectStatus(await server.operate('DELETE', path), 428)
    expect(expectStatus(await server.operate('GET', path), 200).body.name).toBe('new')
  })

  it('is made once for one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'stamp-once' }
    const [first, second] = [await create({}, headers), await create({}, headers)]
    expect(expectStatus(second, 201).body).toEqual(expectStatus(first, 201).body)
  })

  it('is kept for one tenant, and let go again by null', async () => {
    const reservedFor = 'ten_00000000000000000000000001'
    const { body } = expectStatus(await create({ reservedFor }), 201)
    expect(body.reservedFor).toBe(reservedFor)
    const path = `/api/platform/stamps/${body.id}`
    const freed = await server.operate('PATCH', path, { reservedFor: null }, { 'if-match': '*' })
    expect(expectStatus(freed, 200).body.reservedFor).toBeNull()
  })

  it.each<[string, object, string]>([
    ['a name above its bound', { name: 'x'.repeat(65) }, 'name'],
    ['an empty name', { name: ' ' }, 'name'],
    ['a region in capitals', { region: 'SwedenCentral' }, 'region'],
    ['a resource group that is none', { resourceGroupId: '/subscriptions/1' }, 'resourceGroupId'],
    ['an account that is none', { modelAccountIds: [group] }, 'modelAccountIds.0'],
    [
      'an account twice',
      { modelAccountIds: [account, account.toUpperCase().replace('/SUBSCRIPTIONS', '/subscriptions')] },
      'modelAccountIds',
    ],
    [
      'more accounts than the bound',
      { modelAccountIds: Array.from({ length: 51 }, (_, i) => account + i) },
      'modelAccountIds',
    ],
    ['a tenant that is no id', { reservedFor: 'contoso' }, 'reservedFor'],
    ['a field that does not exist', { colour: 'red' }, 'colour'],
  ])('is not made of %s, and the answer names the field', async (_, change, path) => {
    const reply = expectStatus(await create(change), 400)
    expect(reply.body.errors.map((error: { path: string }) => error.path)).toContain(path)
  })

  it('takes as many accounts and as long a name as its bounds', async () => {
    const modelAccountIds = Array.from({ length: 50 }, (_, i) => account + i)
    expectStatus(await create({ name: 'x'.repeat(64), modelAccountIds }), 201)
  })

  it('does not change its region or its resource group', async () => {
    const { body } = expectStatus(await create(), 201)
    const path = `/api/platform/stamps/${body.id}`
    expectStatus(await server.operate('PATCH', path, { region: 'westeurope' }, { 'if-match': '*' }), 400)
    expectStatus(await server.operate('PATCH', path, { resourceGroupId: group }, { 'if-match': '*' }), 400)
  })

  it('stands in a list that is read page by page to its end', async () => {
    const ids: string[] = []
    for (let after = ''; ;) {
      const { body } = expectStatus(await server.operate('GET', `/api/platform/stamps?limit=2${after}`), 200)
      ids.push(...body.stamps.map(({ id }: { id: string }) => id))
      if (!body.next) break
      after = `&after=${body.next}`
    }
    const whole = expectStatus(await server.operate('GET', '/api/platform/stamps'), 200).body.stamps
    expect(ids).toEqual(whole.map(({ id }: { id: string }) => id))
    expect(new Set(ids).size).toBe(ids.length)
  })
})
