import { eventsOf } from '../../harness/call'
import { startTestStack, type TestStack } from '../../harness/stack'
import { SIMULATOR_KEY } from '../../../local/stack'
import { formOf } from './bad-input/bodies'
import { answerOf, rawBackend, type RawAnswer, type RawBackend } from './bad-input/raw-backend'
import {
  aliasOf,
  expectClearError,
  expectNoSecrets,
  makeBadInputTenant,
  operationOf,
  send,
  type BadInputTenant,
  type Sent,
} from './bad-input/tenant'
import {
  badAnswers,
  badHeldAnswers,
  badHeldEvents,
  heldResponse,
  LEAK,
  taken,
  takenBytesMax,
  type BadAnswer,
  type Gets,
} from './bad-input/upstream-answers'

/** Whatever a backend sends in place of an answer: a clear error, metered once, and afterwards the tenant stands as before. */
const DEPLOYMENT = 'deployment-of-the-account'
const REUSED = 'reused'
const HELD = 'held'

const nameOf = (at: number) => `bad-${at}`
const cases = badAnswers.map((bad, at) => ({ ...bad, alias: nameOf(at) }))

const completion = (text: string) =>
  JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  })

let reusedCalls = 0
const oneBehindAnother: RawAnswer = (socket) => {
  reusedCalls += 1
  const own = answerOf('200 OK', 'application/json', completion(`answer ${reusedCalls}`))
  socket.write(Buffer.concat([own, answerOf('200 OK', 'application/json', completion('of another call'))]))
  return 'stays open'
}

let ofHeld: RawAnswer = heldResponse
const aliases = [
  ...cases,
  { alias: REUSED, operation: 'chat.completions', answer: oneBehindAnother } as const,
  { alias: HELD, operation: 'responses', answer: (...asked: Parameters<RawAnswer>) => ofHeld(...asked) } as const,
]

let stack: TestStack
let backend: RawBackend
let tenant: BadInputTenant

beforeAll(async () => {
  stack = await startTestStack()
  backend = await rawBackend(new Map(aliases.map(({ alias, answer }) => [alias, answer])))
  const made = aliases.map(async ({ alias, operation }) => {
    const endpoint = backend.endpointOf(alias)
    const id = await stack.makeBackend(DEPLOYMENT, { name: alias, api: { kind: 'openai-compatible' }, endpoint })
    return aliasOf(alias, operation, [id])
  })
  tenant = await makeBadInputTenant(stack, await Promise.all(made))
})
afterAll(async () => {
  await stack.stop()
  await backend.close()
})

const secrets = () => [LEAK, DEPLOYMENT, SIMULATOR_KEY, 'resp_of_the_account', new URL(backend.endpointOf('x')).host]

async function ask({
  alias,
  operation,
  stream,
  fields,
}: Omit<BadAnswer, 'what' | 'answer' | 'gets'> & { alias: string }) {
  const shot = tenant.shot(operation, { alias, stream: stream ?? false })
  return send(stack, tenant.apiKey, operationOf(operation), fields ? formOf(shot, fields) : shot)
}

function expectGot(answer: Sent, operation: BadAnswer['operation'], gets: Exclude<Gets, { kind: 'cut-off' }>): void {
  switch (gets.kind) {
    case 'refused':
    case 'refused-late':
    case 'rejected':
      expect([answer.status, expectClearError(answer, secrets()).code]).toEqual([gets.status, gets.code])
      return
    case 'broken-off': {
      expect(answer.status).toBe(200)
      expectNoSecrets(answer.text, secrets())
      expect(answer.text).toContain('fine')
      const last = lastEvent(answer.text)
      const error = {
        code: 'upstream_failed',
        message: expect.stringMatching(/./),
        type: expect.any(String),
        param: null,
      }
      if (operation !== 'responses') return expect(last).toEqual({ error })
      expect(last).toMatchObject({
        type: 'response.failed',
        response: {
          id: expect.stringMatching(/^resp_[0-9a-z]{26}$/),
          status: 'failed',
          error: { code: 'server_error' },
        },
      })
      return
    }
    case 'answered':
      expect(answer.status).toBe(200)
      if (typeof gets.text === 'string') expect(answer.text).toBe(gets.text)
      else expect(answer.text).toMatch(gets.text)
      expectNoSecrets(answer.text, secrets())
      expect(answer.headers.get('content-type')).not.toContain('html')
  }
}

const lastEvent = (text: string) =>
  eventsOf(
    text
      .split('\n')
      .filter((line) => !line.startsWith('event:'))
      .join('\n'),
  ).at(-1)

describe.each(
  Object.entries(Object.groupBy(cases, ({ operation, stream }) => `${operation}${stream ? ', streamed' : ''}`)),
)('of %s', (_of, some = []) => {
  it.each(some)('$what: $gets.kind', async ({ gets, ...bad }) => {
    if (gets.kind === 'cut-off') return expect(ask(bad)).rejects.toThrow()
    expectGot(await ask(bad), bad.operation, gets)
  })
})

describe('of a response that an account holds', () => {
  let path: string
  beforeAll(async () => {
    const { text } = await ask({ alias: HELD, operation: 'responses' })
    path = `${stack.baseUrl}/openai/v1/responses/${String((JSON.parse(text) as { id: unknown }).id)}`
  })

  const askOf = async (method: string, asked: string, answer: RawAnswer) => {
    ofHeld = answer
    const reply = await fetch(path + asked, { method, headers: { 'api-key': tenant.apiKey } })
    return { status: reply.status, headers: reply.headers, text: await reply.text() }
  }

  it.each(badHeldAnswers)(
    '$what, to $method $asked: $status $code',
    async ({ method, asked, answer, status, code }) => {
      const reply = await askOf(method, asked, answer)
      expect([reply.status, expectClearError(reply, secrets()).code]).toEqual([status, code])
    },
  )

  it.each(badHeldEvents)('events with $what end with one that tells it', async ({ answer }) => {
    const { status, text } = await askOf('GET', '?stream=true', answer)
    expect(status).toBe(200)
    expectNoSecrets(text, secrets())
    expect(lastEvent(text)).toMatchObject({ type: 'error', code: 'upstream_failed' })
  })

  it('it is still the tenant’s', async () => {
    expect((await askOf('GET', '', heldResponse)).status).toBe(200)
  })
})

it('what a backend says behind an answer is never taken for the answer to another call', async () => {
  for (let n = 1; n <= 5; n++) {
    const answer = await ask({ alias: REUSED, operation: 'chat.completions' })
    expect([answer.status, answer.text]).toEqual([200, completion(`answer ${n}`)])
  }
})

it('a backend that never ends is hung up on', () => {
  expect([...taken.keys()].sort()).toEqual(['behind', 'comments', 'event'])
  expect(taken.get('event')).toBeLessThan(takenBytesMax)
  expect(taken.get('behind')).toBeLessThan(takenBytesMax)
  // All of them were the client's, within the bound of a stream.
  expect(taken.get('comments')).toBeLessThan(100 * 1024 * 1024)
})

describe('afterwards', () => {
  const outcomes: Readonly<Record<Gets['kind'], string>> = {
    refused: 'failed',
    'refused-late': 'interrupted',
    rejected: 'rejected',
    'broken-off': 'interrupted',
    'cut-off': 'interrupted',
    answered: 'completed',
  }

  it('nothing is reserved, nothing unsettled, every slot is free, and the budget counts what was used', async () => {
    await tenant.nothingLeft()
    await tenant.countedAsUsed()
  })

  it('every call was metered once, by what became of it', async () => {
    interface Row {
      readonly alias: string
      readonly outcome: string
      readonly calls: number
      readonly promptTokens: number
      readonly outputTokens: number
    }
    const report = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=alias,outcome`, {
      headers: { 'api-key': tenant.apiKey },
    })
    const { rows } = (await report.json()) as { rows: Row[] }
    for (const { what, alias, gets } of cases) {
      const of = rows.filter((row) => row.alias === alias)
      expect([what, of]).toEqual([what, [expect.objectContaining({ outcome: outcomes[gets.kind], calls: 1 })]])
      const [row] = of
      if (gets.kind === 'refused' || gets.kind === 'rejected')
        expect([what, row?.promptTokens, row?.outputTokens]).toEqual([what, 0, 0])
      if (gets.kind === 'answered' && gets.tokens)
        expect([what, row?.promptTokens, row?.outputTokens]).toEqual([what, ...gets.tokens])
      if (gets.kind === 'answered' && !gets.tokens) expect(row?.promptTokens).toBeLessThan(1_000)
    }
  })

  it('nothing of an answer stands in a log', () => {
    expect(stack.lines.join('\n')).not.toContain(LEAK)
  })
})
