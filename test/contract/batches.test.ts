import * as openai7 from 'openai'
import * as openai6 from 'openai-6'
import { batchAlias, endOf, uploadLines } from '../batches/batch-stack'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'

let stack: TestStack
let tenant: TestTenant

beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_BATCH_POLL_SECONDS: '1' })
  const night = await stack.makeBackend('gpt-4.1-mini-batch')
  tenant = await stack.makeTenant({ aliases: [batchAlias('night', night)] })
})
afterAll(() => stack.stop())

type OpenAI = openai7.OpenAI
const majors = { 'openai 7': openai7, 'openai 6': openai6 as unknown as typeof openai7 }
const clients = Object.entries(majors).flatMap(([name, sdk]) => [
  {
    name: `${name} AzureOpenAI`,
    sdk,
    make: (more?: object): OpenAI =>
      new sdk.AzureOpenAI({
        endpoint: stack.baseUrl,
        apiKey: tenant.apiKey,
        apiVersion: '2024-10-21',
        maxRetries: 0,
        ...more,
      }),
  },
  {
    name: `${name} OpenAI on v1`,
    sdk,
    make: (more?: object): OpenAI =>
      new sdk.OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey, maxRetries: 0, ...more }),
  },
])

describe.each(clients)('$name', ({ sdk, make }) => {
  it('makes a batch, sees it through, and reads its answers', async () => {
    const client = make()
    const input = await uploadLines(client, 2)
    const made = await client.batches.create({
      input_file_id: input.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { run: 'nightly' },
    })
    expect(made).toMatchObject({
      id: expect.stringMatching(/^batch_/),
      object: 'batch',
      status: 'validating',
      input_file_id: input.id,
      output_file_id: null,
      metadata: { run: 'nightly' },
    })
    const over = await endOf(client, made.id)
    expect(over).toMatchObject({
      status: 'completed',
      errors: null,
      request_counts: { total: 2, completed: 2, failed: 0 },
      metadata: { run: 'nightly' },
    })
    const output = await (await client.files.content(over.output_file_id ?? '')).text()
    const answers = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(new Set(answers.map(({ custom_id: id }) => id))).toEqual(new Set(['task-0', 'task-1']))
    expect(answers[0].response).toMatchObject({ status_code: 200, body: { object: 'chat.completion' } })
    expect(await client.files.retrieve(over.output_file_id ?? '')).toMatchObject({ purpose: 'batch_output' })
  })

  it('pages through its batches, newest first', async () => {
    const client = make()
    const input = await uploadLines(client, 1)
    const order = { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
    const ids: string[] = []
    for (let i = 0; i < 3; i++) ids.push((await client.batches.create(order)).id)
    const page = await client.batches.list({ limit: 2 })
    expect(page.data.map(({ id }) => id)).toEqual([ids[2], ids[1]])
    expect(page.has_more).toBe(true)
    const listed: string[] = []
    for await (const { id } of client.batches.list({ limit: 2 })) listed.push(id)
    expect(listed.slice(0, 3)).toEqual(ids.toReversed())
    expect(new Set(listed).size).toBe(listed.length)
    for (const id of ids) await endOf(client, id)
  })

  it('cancels a batch', async () => {
    const client = make()
    const input = await uploadLines(client, 3)
    const order = { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
    await stack.configureSimulator({ batches: { validatingMs: 60_000 } })
    const { id } = await client.batches.create(order)
    expect((await client.batches.cancel(id)).status).toMatch(/^cancell/)
    await stack.configureSimulator({ batches: { validatingMs: 0 } })
    const over = await endOf(client, id)
    expect(over).toMatchObject({ status: 'cancelled', cancelled_at: expect.any(Number) })
    await expect(client.batches.cancel(id)).rejects.toMatchObject({ status: 409 })
  })

  it('is told which lines of a file are not sound', async () => {
    const client = make()
    const file = await sdk.toFile(Buffer.from('{"custom_id":"a"}\nno json\n'), 'in.jsonl')
    const input = await client.files.create({ file, purpose: 'batch' })
    const { id } = await client.batches.create({
      input_file_id: input.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    })
    const over = await endOf(client, id)
    expect(over.status).toBe('failed')
    expect(over.errors?.data?.map(({ code, line }) => [code, line])).toEqual([
      ['invalid_request', 1],
      ['invalid_json_line', 2],
    ])
  })

  it('is told at once of what cannot be a batch', async () => {
    const client = make()
    const input = await uploadLines(client, 1)
    const order = { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
    const faulty: [object, number, string | null][] = [
      [{ endpoint: '/v1/embeddings' }, 400, 'endpoint'],
      [{ completion_window: '1h' }, 400, 'completion_window'],
      [{ input_file_id: 'file-of-nobody' }, 400, 'input_file_id'],
      [{ metadata: { a: 1 } }, 400, 'metadata'],
      [{ output_expires_after: { anchor: 'now', seconds: 1 } }, 400, 'output_expires_after'],
    ]
    for (const [more, status, param] of faulty)
      await expect(client.batches.create({ ...order, ...more })).rejects.toMatchObject({ status, param })
    await expect(client.batches.retrieve('batch_unknown')).rejects.toMatchObject({ status: 404 })
  })
})

describe('openai AzureOpenAI with a deployment', () => {
  it('sends its batches to the path of the deployment, which every line must name', async () => {
    const make = clients[0]?.make
    if (!make) throw new Error('there is a client')
    const client = make({ deployment: 'night' })
    const input = await uploadLines(make(), 1)
    const order = { input_file_id: input.id, endpoint: '/chat/completions' as '/v1/chat/completions' }
    const made = await client.batches.create({ ...order, completion_window: '24h' })
    expect(await endOf(make(), made.id)).toMatchObject({ status: 'completed' })
    await expect(
      make({ deployment: 'chat' }).batches.create({ ...order, completion_window: '24h' }),
    ).rejects.toMatchObject({ status: 404, code: 'DeploymentNotFound' })
  })
})
