import { createArm } from '../../src/azure/arm-client'
import { createSmallHttp } from '../../src/azure/small-http'
import { fixedIdentity, serveJson, type JsonAnswer, type JsonRequest } from './json-server'

const http = createSmallHttp()
afterAll(() => http.close())

const ID = '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/deployments/d'
const VERSION = '2024-10-01'
const error = (status: number, code: string, headers: Record<string, string> = {}): JsonAnswer => ({
  status,
  headers,
  body: { error: { code, message: `about ${code}` } },
})
const resource = (provisioningState?: string) => ({ id: ID, name: 'd', properties: { provisioningState } })

async function armAnswering(answer: (request: JsonRequest, url: string) => JsonAnswer) {
  const server = await serveJson((request): JsonAnswer => answer(request, server.url))
  const identity = fixedIdentity()
  const arm = createArm({ url: server.url, audience: 'https://management.azure.com', identity, http })
  return { server, arm, [Symbol.asyncDispose]: () => server.close() }
}

describe('a resource', () => {
  it('is put with our token, its type’s api-version and its body', async () => {
    await using place = await armAnswering(() => ({ status: 200, body: resource('Succeeded') }))
    expect(await place.arm.put(ID, VERSION, { sku: { name: 'Standard' } })).toMatchObject({
      kind: 'ready',
      resource: { id: ID },
    })
    const [request] = place.server.requests
    expect(request).toMatchObject({ method: 'PUT', path: ID, text: '{"sku":{"name":"Standard"}}' })
    expect(request?.query.get('api-version')).toBe(VERSION)
    expect(request?.headers['authorization']).toMatch(/^Bearer ey/)
  })

  it.each(['Accepted', 'Creating', 'Moving'])('that is %s is under way', async (state) => {
    await using place = await armAnswering(() => ({
      status: 201,
      headers: { 'retry-after': '7' },
      body: resource(state),
    }))
    expect(await place.arm.put(ID, VERSION, {})).toMatchObject({ kind: 'under-way', againAfterMs: 7_000 })
    expect(await place.arm.get(ID, VERSION)).toMatchObject({ kind: 'under-way' })
  })

  it('that was accepted without a word is under way', async () => {
    await using place = await armAnswering(() => ({ status: 202 }))
    expect(await place.arm.put(ID, VERSION, {})).toMatchObject({ kind: 'under-way' })
    expect(await place.arm.remove(ID, VERSION)).toMatchObject({ kind: 'under-way' })
  })

  it('that could not be made says why', async () => {
    await using place = await armAnswering(() => ({ status: 200, body: resource('Failed') }))
    expect(await place.arm.get(ID, VERSION)).toMatchObject({ kind: 'refused', code: 'ProvisioningFailed' })
  })

  it('that vanished while it was made is refused with what its operation says', async () => {
    await using place = await armAnswering(({ method, path }, url) => {
      if (method === 'PUT') return { status: 202, headers: { 'azure-asyncoperation': `${url}/operations/1` } }
      if (path !== '/operations/1') return error(404, 'ResourceNotFound')
      return { status: 200, body: { status: 'Failed', error: { code: 'InsufficientQuota', message: 'too much' } } }
    })
    await place.arm.put(ID, VERSION, {})
    expect(await place.arm.get(ID, VERSION)).toMatchObject({
      kind: 'refused',
      code: 'InsufficientQuota',
      message: 'too much',
    })
    // Told once; afterwards it is simply not there.
    expect(await place.arm.get(ID, VERSION)).toEqual({ kind: 'gone' })
  })

  it('whose operation lies at another address is not asked for there, since our token would go along', async () => {
    await using thief = await serveJson(() => ({ status: 200, body: { status: 'InProgress' } }))
    await using place = await armAnswering(({ method }) =>
      method === 'PUT'
        ? { status: 202, headers: { 'azure-asyncoperation': `${thief.url}/operations/1` } }
        : error(404, 'ResourceNotFound'),
    )
    await place.arm.put(ID, VERSION, {})
    expect(await place.arm.get(ID, VERSION)).toEqual({ kind: 'gone' })
    expect(thief.requests).toHaveLength(0)
  })

  it('that is missing is gone, whether it is read or removed', async () => {
    await using place = await armAnswering(() => error(404, 'ResourceNotFound'))
    expect(await place.arm.get(ID, VERSION)).toEqual({ kind: 'gone' })
    expect(await place.arm.remove(ID, VERSION)).toEqual({ kind: 'gone' })
  })

  it.each([200, 204])('that is removed with HTTP %d is gone', async (status) => {
    await using place = await armAnswering(() => ({ status }))
    expect(await place.arm.remove(ID, VERSION)).toEqual({ kind: 'gone' })
  })
})

describe('a refusal', () => {
  it.each<[string, JsonAnswer]>([
    ['another operation on the parent', error(409, 'RequestConflict')],
    ['an account that is not ready yet', error(409, 'AccountProvisioningStateInvalid')],
    ['throttling', error(429, 'TooManyRequests')],
    ['a failure of ARM', error(500, 'InternalServerError')],
    ['a gateway without a body', { status: 502, body: '<html>' }],
  ])('because of %s may pass, and says when to come again', async (_, answer) => {
    await using place = await armAnswering(() => ({ ...answer, headers: { 'retry-after': '3' } }))
    expect(await place.arm.put(ID, VERSION, {})).toMatchObject({ kind: 'busy', againAfterMs: 3_000 })
  })

  it.each<[string, JsonAnswer]>([
    ['quota', error(400, 'InsufficientQuota')],
    ['a missing right', error(403, 'AuthorizationFailed')],
    ['a name that is taken', error(409, 'CustomDomainInUse')],
    ['a parent that is missing', error(404, 'ParentResourceNotFound')],
  ])('because of %s is for good, with ARM’s code and words', async (_, answer) => {
    await using place = await armAnswering(() => answer)
    const { code } = (answer.body as { error: { code: string } }).error
    expect(await place.arm.put(ID, VERSION, {})).toEqual({
      kind: 'refused',
      status: answer.status,
      code,
      message: `about ${code}`,
    })
  })

  it('of a wait without bounds is cut to ours', async () => {
    await using place = await armAnswering(() => error(429, 'TooManyRequests', { 'retry-after': '999999' }))
    expect(await place.arm.put(ID, VERSION, {})).toMatchObject({ againAfterMs: 120_000 })
  })

  it('is none where ARM cannot be reached: that may pass', async () => {
    const place = await armAnswering(() => ({ status: 200 }))
    await place.server.close()
    expect(await place.arm.get(ID, VERSION)).toMatchObject({ kind: 'busy', code: 'Unreachable' })
  })
})

describe('an action', () => {
  it('hands on its whole answer', async () => {
    await using place = await armAnswering(() => ({ status: 200, body: { keys: [{ keyName: 'key1', value: 'k' }] } }))
    expect(await place.arm.post(`${ID}/listKeys`, VERSION)).toMatchObject({
      kind: 'ready',
      resource: { properties: { keys: [{ value: 'k' }] } },
    })
  })
})

it('the principal that roles are given to is the one our token is of', async () => {
  await using place = await armAnswering(() => ({ status: 200 }))
  expect(await place.arm.principalId()).toBe('aaaaaaaa-0000-4000-8000-000000000001')
  expect(place.server.requests).toHaveLength(0)
})
