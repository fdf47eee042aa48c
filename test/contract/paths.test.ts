import { operations } from '../../src/inference/operations'
import type { Operation } from '../../src/inference/operation'
import { surfaceOf, type Shot } from '../chaos/surfaces'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

/** Every surface by every way in that clients use; a new row of `operations` gets them all. */
let stack: TestStack
let tenant: TestTenant

beforeAll(async () => {
  stack = await startTestStack()
  const aliases = await Promise.all(
    operations.map(async ({ name, capability }) => {
      const { model } = surfaceOf(name)
      const backend = await stack.makeBackend(model)
      const tokens = ['chat', 'completions'].includes(capability) ? { outputTokensMax: 1_000 } : {}
      return { name, model, capabilities: [capability], groups: [{ members: [{ backendId: backend }] }], ...tokens }
    }),
  )
  await stack.configureSimulator({
    deployments: Object.fromEntries(
      operations.map(({ name }) => [
        surfaceOf(name).model,
        { latency: { firstTokenMs: 0, tokensPerSecond: 0, jitter: 0 }, admission: { kind: 'unlimited' } },
      ]),
    ),
  })
  tenant = await stack.makeTenant({ aliases })
})
afterAll(() => stack.stop())

interface WayIn {
  readonly way: string
  readonly url: (operation: Operation) => string
  /** The path names the alias, and the body another. */
  readonly inPath?: true
}

const ways: readonly WayIn[] = [
  { way: 'v1', url: ({ path }) => `/openai/v1${path}` },
  { way: 'v1 preview', url: ({ path }) => `/openai/v1${path}?api-version=preview` },
  { way: 'v1 with a dated version', url: ({ path }) => `/openai/v1${path}?api-version=2024-10-21` },
  { way: 'neither v1 nor a version', url: ({ path }) => `/openai${path}` },
  { way: 'no deployment, an old version', url: ({ path }) => `/openai${path}?api-version=2024-02-01` },
  { way: 'no deployment, the last version', url: ({ path }) => `/openai${path}?api-version=2025-04-01-preview` },
  ...['2024-02-01', '2024-10-21', '2025-04-01-preview', 'v1', 'preview'].map((version) => ({
    way: `a deployment and ${version}`,
    url: ({ name, path }: Operation) => `/openai/deployments/${name}${path}?api-version=${version}`,
    inPath: true as const,
  })),
]

const cases = operations.flatMap((operation) => ways.map((way) => ({ name: operation.name, operation, ...way })))

async function send(url: string, { contentType, body }: Shot, headers: Record<string, string> = {}) {
  const answer = await fetch(stack.baseUrl + url, {
    method: 'POST',
    headers: { 'content-type': contentType, 'api-key': tenant.apiKey, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
  const bytes = Buffer.from(await answer.arrayBuffer())
  return {
    status: answer.status,
    bytes,
    error: answer.ok ? undefined : (JSON.parse(bytes.toString()) as ErrorBody).error,
  }
}

interface ErrorBody {
  readonly error: { readonly code: string; readonly param: string | null }
}

const shotOf = ({ name }: Operation, alias: string = name) =>
  surfaceOf(name).shot({ alias, text: 'Hi [[echo:Hello there]]', stream: false })

it.each(cases)('$name is served by $way', async ({ operation, url, inPath }) => {
  const answer = await send(url(operation), shotOf(operation, inPath ? 'no-such-alias' : operation.name))
  expect([answer.status, answer.error]).toEqual([200, undefined])
  expect(answer.bytes.length).toBeGreaterThan(0)
})

it.each(
  operations
    .filter(({ events }) => events)
    .flatMap((operation) => ways.map((way) => ({ name: operation.name, operation, ...way }))),
)('$name streams by $way', async ({ operation, url, inPath }) => {
  const alias = inPath ? 'no-such-alias' : operation.name
  const surface = surfaceOf(operation.name)
  const answer = await send(url(operation), surface.shot({ alias, text: 'Hi [[echo:Hello there]]', stream: true }))
  expect(answer.status).toBe(200)
  expect(answer.bytes.toString()).toMatch(surface.lastEvent)
})

describe.each(operations.map((operation) => ({ name: operation.name, operation })))('$name', ({ name, operation }) => {
  it.each([
    ['an API key as bearer', () => ({ authorization: `Bearer ${tenant.apiKey}` })],
    ['an api-key header', () => ({ 'api-key': tenant.apiKey })],
  ])('takes %s on every path', async (_style, credential) => {
    for (const { url } of ways) {
      const { 'api-key': key = '', authorization = '' } = credential() as Record<string, string>
      const headers: Record<string, string> = authorization ? { authorization } : { 'api-key': key }
      const { contentType, body } = shotOf(operation)
      const answer = await fetch(stack.baseUrl + url(operation), {
        method: 'POST',
        headers: { 'content-type': contentType, ...headers },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      })
      await answer.arrayBuffer()
      expect(answer.status).toBe(200)
    }
  })

  it.each([
    ['no version with a deployment', `/openai/deployments/${name}${operation.path}`],
    ['an empty version', `/openai/deployments/${name}${operation.path}?api-version=`],
    ['a version of no shape', `/openai/deployments/${name}${operation.path}?api-version=2024`],
    ['a version of no shape without a deployment', `/openai${operation.path}?api-version=next`],
    ['a version of no shape on v1', `/openai/v1${operation.path}?api-version=2`],
  ])('says what is wrong with %s', async (_what, url) => {
    const answer = await send(url, shotOf(operation))
    expect(answer).toMatchObject({ status: 400, error: { code: 'invalid_api_version', param: 'api-version' } })
  })

  it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('says which methods there are in place of %s', async (method) => {
    const answer = await fetch(`${stack.baseUrl}/openai/v1${operation.path}`, {
      method,
      headers: { 'api-key': tenant.apiKey },
    })
    await answer.arrayBuffer()
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toContain('POST')
  })
})
