import { OpenAI } from 'openai'
import { systemChance } from '../../src/base/chance'
import { systemClock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import { batchAlias, endOf, uploadLines } from '../batches/batch-stack'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

/** Tenant B tries tenant A's batches and files in every way there is; it gets what an id gets that never was (I3). */
let stack: TestStack
let a: TestTenant
let b: TestTenant
let clientOfA: OpenAI
let real: Names
const ids = createIdMaker({ clock: systemClock, chance: systemChance() })
interface Names {
  readonly batch: string
  readonly running: string
  readonly input: string
  readonly output: string
}
const unknown: Names = { batch: ids.batchId(), running: ids.batchId(), input: ids.fileId(), output: ids.fileId() }

beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_BATCH_POLL_SECONDS: '1' })
  const night = await stack.makeBackend('gpt-4.1-mini-batch')
  a = await stack.makeTenant({ aliases: [batchAlias('night', night)] })
  b = await stack.makeTenant({ aliases: [batchAlias('night', night)] })
  clientOfA = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: a.apiKey, maxRetries: 0 })
  const input = await uploadLines(clientOfA, 2)
  const order = { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
  const over = await endOf(clientOfA, (await clientOfA.batches.create(order)).id)
  await stack.configureSimulator({ batches: { validatingMs: 3_600_000 } })
  const running = await clientOfA.batches.create(order)
  real = { batch: over.id, running: running.id, input: input.id, output: over.output_file_id ?? '' }
})
afterAll(() => stack.stop())

const order = (inputFileId: string) => ({
  input_file_id: inputFileId,
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
})

interface Attempt {
  readonly what: string
  readonly method: string
  readonly path: (names: Names) => string
  readonly body?: (names: Names) => object
}

const attempts: readonly Attempt[] = [
  { what: 'reading a batch', method: 'GET', path: ({ batch }) => `/batches/${batch}` },
  { what: 'cancelling a batch', method: 'POST', path: ({ running }) => `/batches/${running}/cancel` },
  { what: 'a batch of a file', method: 'POST', path: () => '/batches', body: ({ input }) => order(input) },
  { what: 'a batch of an answer', method: 'POST', path: () => '/batches', body: ({ output }) => order(output) },
  { what: 'reading an answer', method: 'GET', path: ({ output }) => `/files/${output}/content` },
  { what: 'listing behind a batch', method: 'GET', path: ({ batch }) => `/batches?after=${batch}` },
]
const bases = ['/openai/v1', '/openai']

async function answerTo({ method, path, body }: Attempt, base: string, names: Names): Promise<string> {
  const answer = await fetch(stack.baseUrl + base + path(names), {
    method,
    headers: { 'api-key': b.apiKey, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body(names)) } : {}),
  })
  let shown = `${answer.status} ${answer.headers.get('content-type')} ${await answer.text()}`
  for (const [kind, name] of Object.entries(names)) shown = shown.replaceAll(name, `{${kind}}`)
  return shown
}

it.each(attempts.flatMap((attempt) => bases.map((base) => ({ ...attempt, base }))))(
  '$what of another tenant under $base is answered as for one that never was',
  async ({ base, ...attempt }) => {
    expect(await answerTo(attempt, base, real)).toBe(await answerTo(attempt, base, unknown))
  },
)

it('the list of a tenant has its own batches only', async () => {
  const answer = await fetch(`${stack.baseUrl}/openai/v1/batches`, { headers: { 'api-key': b.apiKey } })
  expect(await answer.json()).toMatchObject({ data: [], has_more: false })
})

it('a line that names another tenant’s alias is as wrong as one that names none', async () => {
  const clientOfB = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: b.apiKey, maxRetries: 0 })
  await stack.platform.patch(`/tenants/${b.tenantId}`, { aliases: [batchAlias('other', await night())] })
  const input = await uploadLines(clientOfB, 1)
  const made = await clientOfB.batches.create(order(input.id) as Parameters<typeof clientOfB.batches.create>[0])
  const over = await endOf(clientOfB, made.id)
  expect(over).toMatchObject({ status: 'failed', errors: { data: [{ code: 'model_not_found', line: 1 }] } })
})

it('nothing of the tenant has changed after all that', async () => {
  expect(await clientOfA.batches.retrieve(real.running)).toMatchObject({ status: 'validating' })
  expect(await clientOfA.batches.retrieve(real.batch)).toMatchObject({ status: 'completed' })
  expect(await (await clientOfA.files.content(real.output)).text()).toContain('task-0')
})

const night = () => stack.makeBackend('gpt-4.1-mini-batch')
