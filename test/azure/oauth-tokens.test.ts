import { appIdentity } from '../../src/azure/identity'
import { createOAuthTokens, type ApplicationProof } from '../../src/azure/oauth-tokens'
import { createSmallHttp } from '../../src/azure/small-http'
import { handClock } from '../harness/hand-clock'
import { serveJson, type JsonAnswer } from './json-server'

const http = createSmallHttp()
afterAll(() => http.close())

const HOME = 'aaaaaaaa-0000-4000-8000-00000000000a'
const CUSTOMER = 'bbbbbbbb-0000-4000-8000-00000000000b'
const SCOPE = 'https://management.azure.com/.default'
const granted = (token: string, seconds = 3_599): JsonAnswer => ({
  status: 200,
  body: { token_type: 'Bearer', expires_in: seconds, access_token: token },
})

async function directories(
  answer: (path: string, count: number) => JsonAnswer | Promise<JsonAnswer>,
  proof: ApplicationProof = { kind: 'secret', secret: 's3cret' },
) {
  const clock = handClock()
  let count = 0
  const server = await serveJson(({ path }) => answer(path, ++count))
  const application = { directoryId: HOME, clientId: 'the-app', proof }
  const tokens = createOAuthTokens({ authority: `${server.url}/entra`, application, http, clock })
  return { clock, server, tokens, [Symbol.asyncDispose]: () => server.close() }
}

const formOf = (text: string) => Object.fromEntries(new URLSearchParams(text))

describe('an application’s token', () => {
  it('is asked for by client credentials in its own directory', async () => {
    await using place = await directories(() => granted('t'))
    expect((await place.tokens.getToken(SCOPE))?.token).toBe('t')
    const [request] = place.server.requests
    expect(request?.path).toBe(`/entra/${HOME}/oauth2/v2.0/token`)
    expect(formOf(request?.text ?? '')).toEqual({
      client_id: 'the-app',
      scope: SCOPE,
      grant_type: 'client_credentials',
      client_secret: 's3cret',
    })
  })

  it('of another directory is asked for there, and kept apart', async () => {
    await using place = await directories((path) => granted(path.includes(CUSTOMER) ? 'customers' : 'home'))
    expect((await place.tokens.getToken(SCOPE))?.token).toBe('home')
    expect((await place.tokens.getToken(SCOPE, { tenantId: CUSTOMER }))?.token).toBe('customers')
    expect((await place.tokens.getToken(SCOPE))?.token).toBe('home')
    expect(place.server.requests).toHaveLength(2)
  })

  it('is proved by an assertion where there is no secret', async () => {
    await using place = await directories(() => granted('t'), { kind: 'assertion', assertion: async () => 'a.b.c' })
    await place.tokens.getToken(SCOPE)
    expect(formOf(place.server.requests[0]?.text ?? '')).toMatchObject({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.b.c',
    })
  })

  it('is fetched once for all who ask at once, and again only near its end', async () => {
    await using place = await directories((_, count) => granted(`t${count}`))
    const get = async () => (await place.tokens.getToken(SCOPE))?.token
    expect(await Promise.all([get(), get(), get()])).toEqual(['t1', 't1', 't1'])
    await place.clock.advance(3_200_000)
    expect(await get()).toBe('t1')
    await place.clock.advance(200_000)
    // The old one serves while the new one is fetched.
    expect(await get()).toBe('t1')
    await until(() => place.server.requests.length === 2)
    await until(async () => (await get()) === 't2')
    expect(place.server.requests).toHaveLength(2)
  })

  it('that has ended is never used, even when no other can be had', async () => {
    await using place = await directories((_, count) => (count === 1 ? granted('t', 60) : { status: 503 }))
    await place.tokens.getToken(SCOPE)
    await place.clock.advance(60_000)
    await expect(place.tokens.getToken(SCOPE)).rejects.toMatchObject({ name: 'UpstreamError' })
  })

  it('that is refused says Entra’s code, and is asked for anew the next time', async () => {
    const refusal = {
      status: 400,
      body: { error: 'unauthorized_client', error_description: 'AADSTS700016: Application was not found.' },
    }
    await using place = await directories((_, count) => (count === 1 ? refusal : granted('t')))
    await expect(place.tokens.getToken(SCOPE)).rejects.toMatchObject({
      name: 'TokenRefusedError',
      code: 'AADSTS700016',
    })
    expect((await place.tokens.getToken(SCOPE))?.token).toBe('t')
  })

  it('is not asked for in a directory whose name would lead elsewhere', async () => {
    await using place = await directories(() => granted('t'))
    await expect(place.tokens.getToken(SCOPE, { tenantId: '../../thief' })).rejects.toThrow('no directory')
    expect(place.server.requests).toHaveLength(0)
  })

  it('is no answer where the endpoint is larger than its bound, or gone', async () => {
    const place = await directories(() => ({ status: 200, body: `"${'x'.repeat(1_100_000)}"` }))
    await expect(place.tokens.getToken(SCOPE)).rejects.toMatchObject({ name: 'UpstreamError' })
    await place.server.close()
    await expect(place.tokens.getToken(SCOPE)).rejects.toMatchObject({ name: 'UpstreamError', kind: 'connect' })
  })
})

describe('the app’s identity', () => {
  it('without an application has no token of a tenant’s directory', async () => {
    const identity = appIdentity({
      identityClientId: undefined,
      authority: 'http://127.0.0.1:1',
      application: undefined,
      http,
      clock: handClock(),
    })
    await expect(identity.getToken(SCOPE, { tenantId: CUSTOMER })).rejects.toMatchObject({ code: 'no_application' })
  })

  it('with an application and its secret takes every token by it', async () => {
    await using server = await serveJson(() => granted('t'))
    const identity = appIdentity({
      identityClientId: undefined,
      authority: server.url,
      application: { directoryId: HOME, clientId: 'the-app', secret: 's3cret' },
      http,
      clock: handClock(),
    })
    expect((await identity.getToken(SCOPE))?.token).toBe('t')
    expect((await identity.getToken(SCOPE, { tenantId: CUSTOMER }))?.token).toBe('t')
    expect(server.requests.map(({ path }) => path)).toEqual([
      `/${HOME}/oauth2/v2.0/token`,
      `/${CUSTOMER}/oauth2/v2.0/token`,
    ])
  })
})

const POLLS_MAX = 12_000

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('it never became so')
}
