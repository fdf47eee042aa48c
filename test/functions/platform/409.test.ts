import { DIRECTORIES_MAX } from '../../../src/access/directories'
import { systemChance } from '../../../src/base/chance'
import { createIdempotency } from '../../../src/http/idempotency'
import { platformTable } from '../../../src/storage/platform-table'
import { TenantScope } from '../../../src/storage/tenant-scope'
import { backendBody, createTenant, expectStatus, tenantBody } from '../control-plane-fixtures'
import { otherOperatorToken, serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

let server: ControlPlaneServer
beforeAll(async () => {
  server = await serveControlPlane()
})
afterAll(() => server.close())

const create = (key: string, body: object = tenantBody) =>
  server.operate('POST', '/api/platform/tenants', body, { 'idempotency-key': key })
const countTenants = async () => (await server.operate('GET', '/api/platform/tenants?limit=100')).body.tenants.length

describe('a creation with an Idempotency-Key', () => {
  it('is carried out once, and its answer given again', async () => {
    const first = expectStatus(await create('once'), 202)
    const before = await countTenants()
    const again = expectStatus(await create('once'), 202)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(await countTenants()).toBe(before)
  })

  it('is refused with another body', async () => {
    expectStatus(await create('other-body'), 202)
    const reply = await create('other-body', { ...tenantBody, displayName: 'Fabrikam' })
    expect(reply).toMatchObject({ status: 409, body: { code: 'conflict', errors: [{ path: 'idempotency-key' }] } })
  })

  it('makes one tenant however many ask at once', async () => {
    const before = await countTenants()
    const replies = await Promise.all(Array.from({ length: 5 }, () => create('at-once')))
    expect(replies.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(1)
    expect(replies.every(({ status }) => status === 202 || status === 409)).toBe(true)
    expect(new Set(replies.flatMap(({ body }) => body.tenantId ?? [])).size).toBe(1)
    expect(await countTenants()).toBe(before + 1)
  })

  it('means something else on another path', async () => {
    expectStatus(await create('shared-key'), 202)
    const reply = await server.operate('POST', '/api/platform/backends', backendBody, {
      'idempotency-key': 'shared-key',
    })
    expectStatus(reply, 201)
  })

  it('means something else for another operator', async () => {
    const ofOne = expectStatus(await create('everyone-uses-this'), 202)
    const headers = { authorization: `Bearer ${otherOperatorToken}`, 'idempotency-key': 'everyone-uses-this' }
    const ofOther = await server.send('POST', '/api/platform/tenants', { body: tenantBody, headers })
    expect(expectStatus(ofOther, 202).body.tenantId).not.toBe(ofOne.body.tenantId)
  })

  it('can be corrected after it was refused for its content', async () => {
    expectStatus(await create('corrected', { ...tenantBody, tier: 'gold' }), 400)
    const limits = { ...tenantBody, tier: 'free', limitOverrides: { concurrentCalls: 9 } }
    expectStatus(await create('corrected', limits), 400)
    expectStatus(await create('corrected'), 202)
  })

  it('is forgotten after a day', async () => {
    const first = expectStatus(await create('a-day'), 202)
    await server.clock.advance(86_400_000)
    expect(expectStatus(await create('a-day'), 202).body.tenantId).not.toBe(first.body.tenantId)
  })

  it.each(['', 'x'.repeat(256), 'with space'])('is refused under the key "%s"', async (key) => {
    expect(await create(key)).toMatchObject({ status: 400, body: { errors: [{ path: 'idempotency-key' }] } })
  })

  it('leaves nothing in storage that would open its answer', async () => {
    const { apiKey } = await createTenant(server)
    const headers = { 'idempotency-key': 'sealed-answer' }
    const reply = await server.send('POST', '/api/tenant/keys', { apiKey, body: { name: 'sealed' }, headers })
    const { body } = expectStatus(reply, 201)
    const rows = JSON.stringify(await Array.fromAsync(server.storage.table('idempotency').listEntities()))
    expect(rows).not.toContain(body.apiKey.slice(-48))
    expect(rows).not.toContain('sealed-answer')
  })
})

describe('an attempt that broke off', () => {
  const operation = (idempotencyKey: string) => {
    let made = 0
    return {
      rows: platformTable(server.storage.table('idempotency')),
      name: 'test',
      idempotencyKey,
      content: '{}',
      newSubject: () => `subject ${++made} of ${idempotencyKey}`,
    }
  }
  const idempotency = () => createIdempotency({ clock: server.clock, chance: systemChance(), secret: 's' })
  const answer = { status: 201, headers: {}, body: '{}' }

  it('with an error is continued at once under the id of its first attempt', async () => {
    const seen: string[] = []
    const create = operation('error')
    const failing = idempotency().once(create, async (subject) => {
      seen.push(subject)
      throw new Error('storage went away')
    })
    await expect(failing).rejects.toThrow('storage went away')
    const second = await idempotency().once(create, async (subject) => {
      seen.push(subject)
      return answer
    })
    expect(second).toEqual(answer)
    expect(seen).toEqual(['subject 1 of error', 'subject 1 of error'])
  })

  it('with its process is continued after a minute, and counts as under way until then', async () => {
    const create = operation('crash')
    const never = new Promise<never>(() => {})
    const begun = Promise.withResolvers<string>()
    void idempotency().once(create, (subject) => {
      begun.resolve(subject)
      return never
    })
    const subject = await begun.promise
    expect(await idempotency().once(create, async () => answer)).toMatchObject({ code: 'conflict' })
    await server.clock.advance(60_000)
    let continued: string | undefined
    const run = async (again: string) => {
      continued = again
      return answer
    }
    expect(await idempotency().once(create, run)).toEqual(answer)
    expect(continued).toBe(subject)
  })

  it('and was taken for dead does not hand out its answer when it ends after all', async () => {
    const create = operation('late')
    const slow = Promise.withResolvers<typeof answer>()
    const begun = Promise.withResolvers<void>()
    const late = idempotency().once(create, () => {
      begun.resolve()
      return slow.promise
    })
    await begun.promise
    await server.clock.advance(60_000)
    expect(await idempotency().once(create, async () => answer)).toEqual(answer)
    slow.resolve({ ...answer, body: '{"apiKey":"replaced by the other attempt"}' })
    expect(await late).toMatchObject({ code: 'conflict' })
  })

  it('cannot be opened under another secret', async () => {
    const create = operation('secret')
    await idempotency().once(create, async () => answer)
    const other = createIdempotency({ clock: server.clock, chance: systemChance(), secret: 'another' })
    expect(await other.once(create, async () => answer)).toMatchObject({ code: 'conflict' })
  })
})

describe('a state that an action does not fit', () => {
  it('is told: a tenant that is being offboarded cannot be resumed', async () => {
    const { tenantId } = await createTenant(server)
    const scope = TenantScope.ofPlatform(tenantId as `ten_${string}`)
    await server.parts.tenants.transition(scope, 'begin-offboarding')
    const reply = await server.operate('POST', `/api/platform/tenants/${tenantId}/resume`)
    expect(reply).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('offboarding') },
    })
  })
})

describe('a tenant’s directories', () => {
  it('are so many at most, those that are linked already not counted twice, and one less makes room', async () => {
    const { tenantId } = await createTenant(server)
    const path = `/api/platform/tenants/${tenantId}/directories`
    const link = (n: number) =>
      server.operate('POST', path, { directoryId: `aaaaaaaa-0000-4000-8000-${String(n).padStart(12, '0')}` })
    for (let n = 1; n <= DIRECTORIES_MAX; n++) expectStatus(await link(n), 201)
    expectStatus(await link(1), 201)
    const full = await link(DIRECTORIES_MAX + 1)
    expect(full).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('at most 50') },
    })
    expectStatus(await server.operate('DELETE', `${path}/aaaaaaaa-0000-4000-8000-000000000001`), 204)
    expectStatus(await link(DIRECTORIES_MAX + 1), 201)
  })
})
