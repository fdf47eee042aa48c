import { OpenAI } from 'openai'
import type { KeptThing } from '../../local/simulator/stored/account-store'
import { systemChance } from '../../src/base/chance'
import { systemClock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

/**
 * Tenant B tries tenant A's responses in every way there is, on the account that both share: by the platform's ids and by those of
 * the account. It gets what an id gets that never was (I3), and nothing of what it names reaches the account.
 */
let stack: TestStack
let a: TestTenant
let b: TestTenant
let clientOfA: OpenAI
let real: Names
interface Names {
  readonly response: string
  readonly running: string
  /** As the account calls it. */
  readonly upstream: string
  readonly item: string
  readonly file: string
}
const ids = createIdMaker({ clock: systemClock, chance: systemChance() })
const unknown: Names = {
  response: ids.responseId(),
  running: ids.responseId(),
  upstream: `resp_${'0'.repeat(50)}`,
  item: `msg_${'0'.repeat(32)}`,
  file: ids.fileId(),
}

beforeAll(async () => {
  stack = await startTestStack()
  ;[a, b] = [await stack.makeTenant(), await stack.makeTenant()]
  clientOfA = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: a.apiKey, maxRetries: 0 })
  const made = await clientOfA.responses.create({ model: 'chat', input: 'A secret [[echo:kept]]' })
  const { things } = (await (await fetch(`${stack.simulatorUrl}/simulator/stored`)).json()) as { things: KeptThing[] }
  await stack.configureSimulator({ responses: { queuedMs: 3_600_000 } })
  const running = await clientOfA.responses.create({ model: 'chat', input: 'x', background: true })
  const file = await clientOfA.files.create({ file: new File(['{}\n'], 'a.jsonl'), purpose: 'batch' })
  real = {
    response: made.id,
    running: running.id,
    upstream: things.findLast(({ collection }) => collection === 'responses')?.id ?? '',
    item: made.output[0]?.id ?? '',
    file: file.id,
  }
  expect(Object.values(real)).not.toContain('')
})
afterAll(() => stack.stop())

interface Attempt {
  readonly what: string
  readonly method: string
  readonly path: (names: Names) => string
  readonly body?: (names: Names) => object
}

const onFrom = (more: (names: Names) => object) => (names: Names) => ({ model: 'chat', input: 'x', ...more(names) })
const ofItem = (more: (names: Names) => object) => (names: Names) => ({
  model: 'chat',
  input: [{ role: 'user', content: 'x' }, more(names)],
})
const create = { method: 'POST', path: () => '/responses' }
const attempts: readonly Attempt[] = [
  ...(['response', 'running', 'upstream'] as const).flatMap((kind): Attempt[] => [
    { what: `reading (${kind})`, method: 'GET', path: (names) => `/responses/${names[kind]}` },
    { what: `following (${kind})`, method: 'GET', path: (names) => `/responses/${names[kind]}?stream=true` },
    { what: `deleting (${kind})`, method: 'DELETE', path: (names) => `/responses/${names[kind]}` },
    { what: `cancelling (${kind})`, method: 'POST', path: (names) => `/responses/${names[kind]}/cancel` },
    { what: `reading the input of (${kind})`, method: 'GET', path: (names) => `/responses/${names[kind]}/input_items` },
    {
      what: `reading the input behind an item of (${kind})`,
      method: 'GET',
      path: (names) => `/responses/${names[kind]}/input_items?after=${names.item}`,
    },
    { ...create, what: `going on from (${kind})`, body: onFrom((names) => ({ previous_response_id: names[kind] })) },
    {
      ...create,
      what: `going on in the background from (${kind})`,
      body: onFrom((names) => ({ previous_response_id: names[kind], background: true })),
    },
  ]),
  { ...create, what: 'an item by its id', body: ofItem(({ item }) => ({ type: 'item_reference', id: item })) },
  {
    ...create,
    what: 'thoughts by their id',
    body: ofItem(({ item }) => ({ type: 'reasoning', id: item, summary: [] })),
  },
  { ...create, what: 'a drawing by its id', body: ofItem(({ item }) => ({ type: 'image_generation_call', id: item })) },
  {
    ...create,
    what: 'an approval by its id',
    body: ofItem(({ item }) => ({ type: 'mcp_approval_response', approval_request_id: item, approve: true })),
  },
  {
    ...create,
    what: 'a file',
    body: ofItem(({ file }) => ({ role: 'user', content: [{ type: 'input_file', file_id: file }] })),
  },
  {
    ...create,
    what: 'a file of a tool',
    body: onFrom(({ file }) => ({
      tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: [file] } }],
    })),
  },
  {
    what: 'a file in a chat',
    method: 'POST',
    path: () => '/chat/completions',
    body: ({ file }) => ({
      model: 'chat',
      messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: file } }] }],
    }),
  },
]
const bases = ['/openai/v1', '/openai']

async function ask({ method, path, body }: Attempt, base: string, names: Names, apiKey: string) {
  return fetch(stack.baseUrl + base + path(names), {
    method,
    headers: { 'api-key': apiKey, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body(names)) } : {}),
  })
}

async function answerTo(attempt: Attempt, base: string, names: Names): Promise<string> {
  const answer = await ask(attempt, base, names, b.apiKey)
  let shown = `${answer.status} ${answer.headers.get('content-type')} ${await answer.text()}`
  for (const [kind, name] of Object.entries(names)) shown = shown.replaceAll(name, `{${kind}}`)
  return shown
}

it.each(attempts.flatMap((attempt) => bases.map((base) => ({ ...attempt, base }))))(
  '$what of another tenant under $base is answered as for one that never was, and never by the account',
  async ({ base, ...attempt }) => {
    const before = (await stack.ledger()).length
    const answer = await answerTo(attempt, base, real)
    expect(answer).toBe(await answerTo(attempt, base, unknown))
    expect(answer).toMatch(/^40[04] /)
    expect((await stack.ledger()).length).toBe(before)
  },
)

it('the tenant itself is let in by the same ids, so that the attempts above meant something', async () => {
  await stack.configureSimulator({ responses: { queuedMs: 0 } })
  const own = attempts.filter(({ what }) =>
    /^reading \(response\)|^going on from \(response\)|item by its id/.test(what),
  )
  expect(own).toHaveLength(3)
  for (const attempt of own) expect((await ask(attempt, '/openai/v1', real, a.apiKey)).status).toBe(200)
  expect(await clientOfA.responses.retrieve(real.running)).toMatchObject({ id: real.running })
})

it('a key of some aliases does not know what others made', async () => {
  const made = await fetch(`${stack.baseUrl}/api/tenant/keys`, {
    method: 'POST',
    headers: { 'api-key': a.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'narrow', scopes: ['inference'], aliases: ['embed'] }),
  })
  const { apiKey } = (await made.json()) as { apiKey: string }
  const read = attempts[0]
  if (!read) throw new Error('nothing is tried')
  expect((await ask(read, '/openai/v1', real, apiKey)).status).toBe(404)
})
