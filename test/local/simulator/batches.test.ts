import { toFile } from 'openai'
import { KEY, runningSimulator } from './running'
import { sdkClients } from './sdk-clients'

const simulator = runningSimulator({
  deployments: {
    batch: { model: 'gpt-4.1-mini-2025-04-14', admission: { kind: 'batch' } },
    small: { model: 'gpt-4.1-mini-2025-04-14', admission: { kind: 'batch', enqueuedTokensMax: 60 } },
  },
})
const V1 = '/openai/v1/batches'

interface Batch {
  id: string
  status: string
  output_file_id: string | null
  error_file_id: string | null
  request_counts: { total: number; completed: number; failed: number }
  usage: { input_tokens: number; output_tokens: number }
  errors: { data: { code: string; line: number | null }[] } | null
}
interface Line {
  custom_id: string
  response: { status_code: number; request_id: string; body: { usage: { completion_tokens: number } } } | null
  error: { code: string } | null
}

const line = (customId: string, content: string, more: object = {}) => ({
  custom_id: customId,
  method: 'POST',
  url: '/chat/completions',
  body: { model: 'batch', messages: [{ role: 'user', content }] },
  ...more,
})
const jsonl = (...lines: readonly object[]) => lines.map((each) => JSON.stringify(each)).join('\n')

async function inputFile(text: string, purpose = 'batch'): Promise<string> {
  const body = new FormData()
  body.set('purpose', purpose)
  body.set('file', new Blob([text]), 'input.jsonl')
  const answer = await fetch(simulator.url('/openai/v1/files'), { method: 'POST', headers: { 'api-key': KEY }, body })
  return ((await answer.json()) as { id: string }).id
}
const order = (input_file_id: string, more: object = {}) => ({
  input_file_id,
  endpoint: '/chat/completions',
  completion_window: '24h',
  ...more,
})
const create = async (text: string, more: object = {}, headers?: Record<string, string>) =>
  simulator.post(V1, order(await inputFile(text), more), headers)
const created = async (text: string, more: object = {}) => (await (await create(text, more)).json()) as Batch
const retrieved = async (id: string) => (await (await simulator.send('GET', `${V1}/${id}`)).json()) as Batch

async function until(id: string, ...statuses: readonly string[]): Promise<Batch> {
  for (let tries = 0; tries < 1_000; tries++) {
    const batch = await retrieved(id)
    if (statuses.includes(batch.status)) return batch
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${id} did not become ${statuses.join(' or ')}`)
}
async function linesOf(fileId: string | null): Promise<Line[]> {
  const text = await (await simulator.send('GET', `/openai/v1/files/${fileId}/content`)).text()
  return text
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => JSON.parse(row) as Line)
}

describe.each(sdkClients(simulator.url))('batches: %s', (_name, makeClient) => {
  it('runs the lines of a file and gives their answers back', async () => {
    const client = makeClient()
    const text = jsonl(line('one', '[[tokens:5]]'), line('two', '[[tokens:7]]'))
    const file = await client.files.create({ purpose: 'batch', file: await toFile(Buffer.from(text), 'input.jsonl') })
    const batch = await client.batches.create({
      input_file_id: file.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { of: 'test' },
    })
    expect(batch.status).toBe('validating')
    await until(batch.id, 'completed')
    const done = await client.batches.retrieve(batch.id)
    const output = (await (await client.files.content(done.output_file_id ?? '')).text()).trim().split('\n')

    expect(done).toMatchObject({ request_counts: { total: 2, completed: 2, failed: 0 }, metadata: { of: 'test' } })
    expect(done.usage?.output_tokens).toBe(12)
    expect(output.map((row) => JSON.parse(row) as Line)).toMatchObject([
      { custom_id: 'one', response: { status_code: 200, body: { usage: { completion_tokens: 5 } } }, error: null },
      { custom_id: 'two', response: { status_code: 200, body: { usage: { completion_tokens: 7 } } }, error: null },
    ])
    expect((await client.files.retrieve(done.error_file_id ?? '')).bytes).toBe(0)
    const listed = await Array.fromAsync(client.batches.list({ limit: 1 }))
    expect(listed.map(({ id }) => id)).toContain(batch.id)
  })
})

describe('a batch', () => {
  it('puts what fails into its error file, by the line that failed', async () => {
    const { id } = await created(
      jsonl(
        line('good', 'hi'),
        line('refused', 'hi', { body: { model: 'batch', messages: [] } }),
        line('broken', '[[fault:status:500]]'),
        line('lost', '[[fault:reset]]'),
        line('stuck', '[[fault:stall]]'),
        line('filtered', '[[filter:prompt]]'),
        line('streamed', 'hi', { body: { model: 'batch', messages: [{ role: 'user', content: 'a' }], stream: true } }),
      ),
    )
    const done = await until(id, 'completed')
    const failed = new Map((await linesOf(done.error_file_id)).map((each) => [each.custom_id, each]))

    expect(done.request_counts).toEqual({ total: 7, completed: 1, failed: 6 })
    expect((await linesOf(done.output_file_id)).map(({ custom_id }) => custom_id)).toEqual(['good'])
    expect(failed.get('refused')?.response?.status_code).toBe(400)
    expect(failed.get('broken')?.response?.status_code).toBe(500)
    expect(failed.get('lost')).toMatchObject({ response: null, error: { code: 'server_error' } })
    expect(failed.get('stuck')).toMatchObject({ response: null, error: { code: 'request_timeout' } })
    expect(failed.get('filtered')?.response?.body).toMatchObject({ error: { code: 'content_filter' } })
    expect(failed.get('streamed')?.response?.status_code).toBe(400)
  })

  it('has a ledger record for each of its lines, which add up to its usage', async () => {
    const { last } = await simulator.ledger()
    const { id } = await created(jsonl(line('a', '[[tokens:3]]'), line('b', '[[tokens:4]] [[fault:status:500]]')))
    const done = await until(id, 'completed')
    const records = (await simulator.recorded(last, 4)).filter(({ work }) => work === 'batch-line')

    expect(records).toMatchObject([
      { batchId: id, customId: 'a', deployment: 'batch', operation: 'chat', outputTokens: 3, outcome: 'completed' },
      { batchId: id, customId: 'b', status: 500, promptTokens: 0, outputTokens: 0, outcome: 'faulted' },
    ])
    expect(done.usage.output_tokens).toBe(3)
    expect(done.usage.input_tokens).toBe(records[0]?.promptTokens)
  })

  it('of responses answers with response objects', async () => {
    const { id } = await created(
      jsonl({
        custom_id: 'r',
        method: 'POST',
        url: '/v1/responses',
        body: { model: 'batch', input: 'hi', store: false },
      }),
      { endpoint: '/v1/responses' },
    )
    const [only] = await linesOf((await until(id, 'completed')).output_file_id)
    expect(only?.response?.body).toMatchObject({ object: 'response', status: 'completed' })
  })

  it('runs at the pace that it is given, and when called off keeps what it came to', async () => {
    await simulator.patch({ batches: { linesPerSecond: 10 } })
    const { id } = await created(jsonl(...Array.from({ length: 400 }, (_, index) => line(`n${index}`, 'hi'))))
    await until(id, 'in_progress')
    while ((await retrieved(id)).request_counts.completed < 3) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect((await simulator.post(`${V1}/${id}/cancel`, '')).status).toBe(200)
    const done = await until(id, 'cancelled')
    await simulator.patch({ batches: { linesPerSecond: 0 } })

    expect(done.request_counts.completed).toBeGreaterThanOrEqual(3)
    expect(done.request_counts.completed).toBeLessThan(400)
    expect(await linesOf(done.output_file_id)).toHaveLength(done.request_counts.completed)
    expect((await simulator.post(`${V1}/${id}/cancel`, '')).status).toBe(409)
  })

  it.each([
    ['an empty file', '\n', 'empty_file', null],
    ['a line that is no JSON', `${jsonl(line('a', 'x'))}\n{`, 'invalid_json_line', 2],
    ['an id twice', jsonl(line('a', 'x'), line('a', 'y')), 'duplicate_custom_id', 2],
    ['a line of another endpoint', jsonl(line('a', 'x', { url: '/v1/embeddings' })), 'url_mismatch', 1],
    ['two models', jsonl(line('a', 'x'), line('b', 'x', { body: { model: 'small' } })), 'model_mismatch', 2],
    ['a deployment of calls', jsonl(line('a', 'x', { body: { model: 'chat' } })), 'model_not_found', null],
    ['a byte order mark', `\ufeff${jsonl(line('a', 'x'))}`, 'invalid_request', null],
  ])('of %s fails with its code and its line', async (_name, text, code, at) => {
    const { id } = await created(text)
    const failed = await until(id, 'failed')
    expect(failed.errors?.data).toMatchObject([{ code, line: at }])
    expect(failed.output_file_id).toBeNull()
  })

  it('beyond the enqueued tokens of its deployment is refused at once, until others are over', async () => {
    const text = jsonl(line('a', 'x', { body: { model: 'small', messages: [{ role: 'user', content: 'hello' }] } }))
    await simulator.patch({ batches: { validatingMs: 60_000 } })
    const waiting = await created(text)
    const refused = await create(text)
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { code: 'token_limit_exceeded' } })
    await simulator.patch({ batches: { validatingMs: 0 } })

    expect(waiting.status).toBe('validating')
    await fetch(simulator.url('/simulator/reset'), { method: 'POST' })
    expect((await create(text)).status).toBe(200)
  })

  it.each([
    ['a window of another length', { completion_window: '1h' }, 'completion_window'],
    ['an endpoint that has no batches', { endpoint: '/v1/embeddings' }, 'endpoint'],
    ['a file that is not there', { input_file_id: 'file-none' }, 'input_file_id'],
  ])('with %s is refused and names the parameter', async (_name, more, param) => {
    const answer = await create(jsonl(line('a', 'x')), more)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { param } })
  })

  it('can be ordered at a deployment’s address, which the SDK uses where it has one', async () => {
    const path = '/openai/deployments/batch/batches?api-version=2025-04-01-preview'
    const answer = await simulator.post(path, order(await inputFile(jsonl(line('a', 'x')))))
    const { id } = (await answer.json()) as Batch

    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toContain(`/openai/batches/${id}?`)
    await until(id, 'completed')
  })

  it('takes lines for its deployment only: that one serves no calls', async () => {
    expect((await simulator.chat('batch', 'hi')).status).toBe(400)
  })
})
