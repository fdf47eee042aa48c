import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BlobSASPermissions, BlobServiceClient } from '@azure/storage-blob'
import { testConnectionString } from '../../harness/storage'
import { KEY, runningSimulator } from './running'
import { trainingText } from './training-data'

const simulator = runningSimulator()
const CLASSIC = '/openai/files/import?api-version=2024-10-21'
const HOUR_MS = 3_600_000

interface File {
  readonly id: string
  readonly status: string
  readonly bytes: number | null
  readonly status_details?: string
}
const retrieved = async (id: string) => (await (await simulator.send('GET', `/openai/v1/files/${id}`)).json()) as File
async function imported(content_url: string): Promise<File> {
  const answer = await simulator.post(CLASSIC, { purpose: 'fine-tune', filename: 'train.jsonl', content_url })
  expect(answer.status).toBe(201)
  const file = (await answer.json()) as File
  expect(answer.headers.get('location')).toContain(file.id)
  expect(file).toMatchObject({ status: 'pending', bytes: null })
  for (let tries = 0; tries < 1_000; tries++) {
    const now = await retrieved(file.id)
    if (now.status === 'processed' || now.status === 'error') return now
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${file.id} stays pending`)
}
/** A server of one answer. */
async function serving(status: number, body: string) {
  const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/blob`, [Symbol.asyncDispose]: async () => void server.close() }
}

describe('a file that is imported', () => {
  it('is what the blob at the address holds, read with its signature', async () => {
    const container = BlobServiceClient.fromConnectionString(testConnectionString()).getContainerClient(
      `import${Date.now().toString(36)}`,
    )
    await container.create()
    const blob = container.getBlockBlobClient('train.jsonl')
    await blob.upload(trainingText, Buffer.byteLength(trainingText))
    const signed = await blob.generateSasUrl({
      permissions: BlobSASPermissions.parse('r'),
      expiresOn: new Date(Date.now() + HOUR_MS),
    })
    const { id, status, bytes } = await imported(signed)
    expect({ status, bytes }).toEqual({ status: 'processed', bytes: Buffer.byteLength(trainingText) })
    expect(await (await simulator.send('GET', `/openai/v1/files/${id}/content`)).text()).toBe(trainingText)
    const unsigned = await imported(blob.url)
    expect(unsigned.status).toBe('error')
    expect(unsigned.status_details).toContain('fileImportFailed')
    await container.delete()
  })

  it('is an error that says why where the address gives nothing', async () => {
    await using refusing = await serving(403, 'no')
    expect((await imported(refusing.url)).status_details).toContain('it answered 403')
    expect((await imported('http://127.0.0.1:9/nothing')).status_details).toContain('could not be read')
  })

  it.each([
    [{ filename: 'a', content_url: 'http://127.0.0.1/a' }, 'purpose'],
    [{ purpose: 'fine-tune', content_url: 'http://127.0.0.1/a' }, 'filename'],
    [{ purpose: 'fine-tune', filename: 'a' }, 'content_url'],
    [{ purpose: 'fine-tune', filename: 'a', content_url: 'file:///etc/hosts' }, 'content_url'],
  ])('of %j is refused', async (body, param) => {
    const answer = await simulator.post(CLASSIC, body)
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param } }])
  })

  it('is the classic family’s, unless it is said that v1 has it too', async () => {
    await using giving = await serving(200, trainingText)
    const body = { purpose: 'fine-tune', filename: 'a.jsonl', content_url: giving.url }
    expect((await simulator.post('/openai/v1/files/import', body)).status).toBe(404)
    await simulator.patch({ files: { importOnV1: true } })
    expect((await simulator.post('/openai/v1/files/import', body)).status).toBe(200)
    await simulator.patch({ files: { importOnV1: false } })
  })
})

it('more uploads than an account takes in a second are refused for a moment', async () => {
  await using giving = await serving(200, trainingText)
  await simulator.patch({ files: { uploadsPerSecond: 2 } })
  const body = { purpose: 'fine-tune', filename: 'a.jsonl', content_url: giving.url }
  const answers = await Promise.all([1, 2, 3].map(() => simulator.post(CLASSIC, body)))
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused).toHaveLength(1)
  expect(refused[0]?.headers.get('retry-after')).toBe('1')
  await simulator.patch({ files: { uploadsPerSecond: 0 } })
  expect((await simulator.post(CLASSIC, body)).status).toBe(201)
})

it('files for training are as many bytes as an account may have of them, sent or imported', async () => {
  await using giving = await serving(200, trainingText)
  await simulator.post('/simulator/reset', {})
  await simulator.patch({ files: { trainingBytesMax: Buffer.byteLength(trainingText) + 10 } })
  expect((await imported(giving.url)).status).toBe('processed')
  expect((await imported(giving.url)).status_details).toContain('quotaExceeded')
  const send = async (purpose: string) => {
    const form = new FormData()
    form.set('purpose', purpose)
    form.set('file', new Blob([trainingText]), 'train.jsonl')
    return fetch(simulator.url('/openai/v1/files'), { method: 'POST', headers: { 'api-key': KEY }, body: form })
  }
  const refused = await send('fine-tune')
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'quotaExceeded' } }])
  expect((await send('batch')).status).toBe(200)
})
