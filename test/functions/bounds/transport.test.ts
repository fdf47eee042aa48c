import type { Operation } from './operations'
import { ask, baselineOf, faultsOf, makeBench, type Bench, type Sent } from './send-trials'
import { stateOf } from './state-of'

/** What can be wrong with a request before any field of it is looked at: the body as a whole, and its headers. */
let bench: Bench
beforeAll(async () => {
  bench = await makeBench()
})
afterAll(() => bench.world.server.close())

const BODY_BYTES_MAX = 1_048_576

interface Refused extends Sent {
  readonly what: string
  readonly status: number
  readonly code: string
  /** The header at fault, where one is. */
  readonly param?: string
}

const bodies: readonly Refused[] = [
  { what: 'no body', text: '', status: 400, code: 'invalid_json' },
  { what: 'half a body', text: '{"name":', status: 400, code: 'invalid_json' },
  { what: 'two bodies', text: '{}{}', status: 400, code: 'invalid_json' },
  { what: 'JavaScript', text: "{name: 'a'}", status: 400, code: 'invalid_json' },
  { what: 'a depth without end', text: '['.repeat(200_000), status: 400, code: 'invalid_json' },
  {
    what: 'a very deep body',
    text: `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    status: 400,
    code: 'invalid_request',
  },
  { what: 'null', text: 'null', status: 400, code: 'invalid_request' },
  { what: 'a prototype', text: '{"__proto__":{"name":"a"}}', status: 400, code: 'invalid_request' },
  { what: 'a body at the bound of bytes', text: padded(BODY_BYTES_MAX), status: 400, code: 'invalid_request' },
  { what: 'one byte too many', text: padded(BODY_BYTES_MAX + 1), status: 413, code: 'body_too_large' },
  ...['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''].map((type) => ({
    what: `"${type}"`,
    text: '{}',
    headers: { 'content-type': type },
    status: 415,
    code: 'unsupported_media_type',
  })),
]

const ifMatch = (value: string, status: number, code: string): Refused => ({
  what: `If-Match ${value.slice(0, 20)}`,
  headers: { 'if-match': value },
  status,
  code,
  ...(status === 412 ? {} : { param: 'if-match' }),
})

const preconditions: readonly Refused[] = [
  ifMatch('', 428, 'precondition_required'),
  ifMatch(' ', 428, 'precondition_required'),
  ifMatch(`"${'1'.repeat(999)}"`, 400, 'invalid_request'),
  // At the bound of its length it is read, and matches nothing.
  ifMatch(`"${'1'.repeat(998)}"`, 412, 'precondition_failed'),
  ifMatch('"999"', 412, 'precondition_failed'),
  ifMatch('W/"1"', 412, 'precondition_failed'),
  ifMatch('1', 412, 'precondition_failed'),
]

const creations: readonly Refused[] = ['', 'x'.repeat(256), 'a b', 'é', '\t'].map((key) => ({
  what: `Idempotency-Key ${JSON.stringify(key.slice(0, 20))}`,
  headers: { 'idempotency-key': key },
  status: 400,
  code: 'invalid_request',
  param: 'idempotency-key',
}))

/** Sends each to each of the operations, and expects what it says, and a state that nothing has changed. */
async function expectRefused(operations: readonly Operation[], refused: readonly Refused[]): Promise<void> {
  const { world } = bench
  const state = await stateOf(world.server)
  const all = operations.flatMap((operation) => refused.map((one) => ({ operation, one })))
  const faults = await faultsOf(all, { atOnce: 8 }, async ({ operation, one }) => {
    const [body] = baselineOf(operation).bodies?.(world) ?? []
    const { text, headers } = one
    const content = text === undefined ? body && { body } : { text }
    const reply = await ask(world, operation, { ...content, ...(headers ? { headers } : {}) })
    const isProblem = reply.headers.get('content-type') === 'application/problem+json'
    const isNamed = one.param === undefined || reply.body.errors?.[0]?.path === one.param
    const isAsSaid = reply.status === one.status && reply.body.code === one.code
    return isProblem && isNamed && isAsSaid
      ? undefined
      : `${operation.name}, ${one.what}: ${reply.status} ${reply.text}`
  })
  expect(faults).toEqual([])
  expect(await stateOf(world.server)).toEqual(state)
}

it('a body that cannot be read is refused on every operation that takes one, and changes nothing', async () => {
  const taking = bench.operations.filter(({ body }) => body)
  expect(taking.length).toBeGreaterThan(15)
  await expectRefused(taking, bodies)
})

it('a change of no version, of another or of none that there can be is refused, and changes nothing', async () => {
  const changing = bench.operations.filter(({ needsIfMatch }) => needsIfMatch)
  expect(changing.length).toBeGreaterThan(5)
  await expectRefused(changing, preconditions)
})

it('a creation under a key that is none is refused, and makes nothing', async () => {
  const creating = bench.operations.filter(({ takesIdempotencyKey }) => takesIdempotencyKey)
  expect(creating.length).toBeGreaterThan(5)
  await expectRefused(creating, creations)
})

it.each([1, 255])('a creation under a key of %s characters is carried out once', async (characters) => {
  const sent = { body: { name: 'once' }, headers: { 'idempotency-key': 'k'.repeat(characters) } }
  const operation = bench.operations.find(({ name }) => name === 'POST /api/tenant/keys')
  if (!operation) throw new Error('keys are made by tenants')
  const first = await ask(bench.world, operation, sent)
  const again = await ask(bench.world, operation, sent)
  expect([first.status, again.status]).toEqual([201, 201])
  expect(again.body).toEqual(first.body)
  expect(await ask(bench.world, operation, { ...sent, body: { name: 'twice' } })).toMatchObject({ status: 409 })
})

function padded(bytes: number): string {
  return `{"surplus":"${'x'.repeat(bytes - '{"surplus":""}'.length)}"}`
}
