import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as openai7 from 'openai'
import * as openai6 from 'openai-6'
import { startTestStack, type TestStack } from '../harness/stack'

let stack: TestStack
let apiKey: string

beforeAll(async () => {
  stack = await startTestStack()
  apiKey = (await stack.makeTenant()).apiKey
})
afterAll(() => stack.stop())

type OpenAI = openai7.OpenAI
const majors = { 'openai 7': openai7, 'openai 6': openai6 as unknown as typeof openai7 }
const clients = Object.entries(majors).flatMap(([name, sdk]) => [
  {
    name: `${name} AzureOpenAI`,
    sdk,
    make: (): OpenAI =>
      new sdk.AzureOpenAI({ endpoint: stack.baseUrl, apiKey, apiVersion: '2024-10-21', maxRetries: 0 }),
  },
  {
    name: `${name} OpenAI on v1`,
    sdk,
    make: (): OpenAI => new sdk.OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey, maxRetries: 0 }),
  },
])

const MB = 1024 * 1024
const onDisk = (content: Uint8Array) => {
  const path = join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'lines.jsonl')
  writeFileSync(path, content)
  return path
}

describe.each(clients)('$name', ({ sdk, make }) => {
  it('sends a file from a stream, finds it again, reads it back and deletes it', async () => {
    const client = make()
    const content = randomBytes(5 * MB + 3)
    const sent = await client.files.create({ file: createReadStream(onDisk(content)), purpose: 'batch' })
    expect(sent).toMatchObject({ object: 'file', bytes: content.length, filename: 'lines.jsonl', status: 'processed' })
    expect(sent.id).toMatch(/^file-[0-9a-z]{26}$/)
    const { _request_id: _, ...fields } = sent as typeof sent & { _request_id?: string }
    expect(await client.files.retrieve(sent.id)).toMatchObject(fields)
    const read = Buffer.from(await (await client.files.content(sent.id)).arrayBuffer())
    expect(read.equals(content)).toBe(true)
    expect(await client.files.delete(sent.id)).toMatchObject({ id: sent.id, object: 'file', deleted: true })
    await expect(client.files.retrieve(sent.id)).rejects.toThrow(sdk.NotFoundError)
    await expect(client.files.content(sent.id)).rejects.toThrow(sdk.NotFoundError)
    await expect(client.files.delete(sent.id)).rejects.toThrow(sdk.NotFoundError)
  })

  it('says when a file expires', async () => {
    const file = await make().files.create({
      file: await sdk.toFile(Buffer.from('{}'), 'a.jsonl'),
      purpose: 'user_data',
      expires_after: { anchor: 'created_at', seconds: 1_209_600 },
    })
    expect(file.expires_at).toBe(file.created_at + 1_209_600)
  })

  it('pages through the list by itself, in either order', async () => {
    const client = make()
    const { files } = client
    const made: string[] = []
    for (let n = 0; n < 5; n++)
      made.push((await files.create({ file: await sdk.toFile(Buffer.from('x'), `${n}`), purpose: 'evals' })).id)
    const listed = async (order: 'asc' | 'desc') =>
      (await Array.fromAsync(files.list({ purpose: 'evals', limit: 2, order }))).map(({ id }) => id)
    const ours = (ids: string[]) => ids.filter((id) => made.includes(id))
    expect(ours(await listed('asc'))).toEqual(made)
    expect(ours(await listed('desc'))).toEqual(made.toReversed())
  })

  it('puts a file together from parts that come in any order', async () => {
    const client = make()
    const content = randomBytes(3 * MB)
    const upload = await client.uploads.create({
      purpose: 'fine-tune',
      filename: 'large.jsonl',
      bytes: content.length,
      mime_type: 'application/jsonl',
    })
    expect(upload).toMatchObject({ object: 'upload', status: 'pending', bytes: content.length })
    const part = async (from: number, to: number) =>
      client.uploads.parts.create(upload.id, { data: await sdk.toFile(content.subarray(from, to), 'part') })
    const [last, first] = await Promise.all([part(2 * MB, 3 * MB), part(0, 2 * MB)])
    expect(first).toMatchObject({ object: 'upload.part', upload_id: upload.id })
    const done = await client.uploads.complete(upload.id, {
      part_ids: [first.id, last.id],
      md5: createHash('md5').update(content).digest('hex'),
    })
    expect(done).toMatchObject({ status: 'completed', file: { filename: 'large.jsonl', bytes: content.length } })
    const read = await (await client.files.content(done.file?.id ?? '')).arrayBuffer()
    expect(Buffer.from(read).equals(content)).toBe(true)
  })

  it('cancels an upload, which then takes nothing more', async () => {
    const client = make()
    const upload = await client.uploads.create({ purpose: 'batch', filename: 'a', bytes: 2, mime_type: 'text/plain' })
    expect(await client.uploads.cancel(upload.id)).toMatchObject({ id: upload.id, status: 'cancelled' })
    const data = await sdk.toFile(Buffer.from('ab'), 'part')
    await expect(client.uploads.parts.create(upload.id, { data })).rejects.toThrow(sdk.BadRequestError)
    await expect(client.uploads.complete(upload.id, { part_ids: ['uplprt-x'] })).rejects.toThrow(sdk.BadRequestError)
  })

  it('hears what was wrong, by the name of the field', async () => {
    const client = make()
    const file = await sdk.toFile(Buffer.from('{}'), 'a.jsonl')
    const wrong = client.files.create({ file, purpose: 'nonsense' as 'batch' })
    await expect(wrong).rejects.toMatchObject({ status: 400, param: 'purpose', type: 'invalid_request_error' })
  })
})
