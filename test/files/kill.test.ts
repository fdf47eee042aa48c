import { BlockBlobClient } from '@azure/storage-blob'
import { OpenAI } from 'openai'
import { IMPORT_BYTES_MIN } from '../../src/files/file-bounds'
import { connectStorage } from '../../src/storage/connect'
import { eventually } from '../conformance/eventually'
import { makeStamp } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { jobEnded, storedThings } from '../tuning/tuning-stack'

/** Reading the file, bringing it to the account, dying on the way, and all of it again. */
const ENDED_MS_MAX = 240_000
/** The account is not done with what it has read for so long: time to die in. */
const PROCESSING_MS = 5_000
const MODEL = 'gpt-4.1-mini-2025-04-14'

let stack: TestStack
let tenant: TestTenant
let client: OpenAI
let fileId: string
/** Of the same file when nobody is killed: a copy that is cut off anywhere would come to another number. */
let trainedTokens: number | null
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  await stack.configureSimulator({
    fineTuning: { speed: 1_000_000, jobsMax: 200 },
    files: { processingMs: PROCESSING_MS },
  })
  tenant = await stack.makeTenant()
  client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey, maxRetries: 8 })
  fileId = await uploadedByLink(largeFile())
  trainedTokens = (await ended((await train()).id)).trained_tokens
  expect(trainedTokens).toBeGreaterThan(0)
}, ENDED_MS_MAX)
afterAll(() => stack.stop())

/** Of the tenant, outside its seal, also what is not committed yet. */
async function inTheClear(): Promise<string[]> {
  const storage = connectStorage(
    { kind: 'connection-string', connectionString: testConnectionString() },
    stack.storagePrefix,
  )
  const blobs = storage
    .container('tenant-outgoing')
    .listBlobsFlat({ prefix: `${tenant.tenantId}/`, includeUncommitedBlobs: true })
  return (await Array.fromAsync(blobs)).map(({ name }) => name)
}
const filesAtAccounts = async () => (await storedThings(stack)).filter(({ collection }) => collection === 'files')

const moments = [
  { moment: 'while the copy for the account is written', isNow: async () => (await inTheClear()).length > 0 },
  { moment: 'while the account reads the copy', isNow: async () => (await filesAtAccounts()).length > 0 },
]

describe('a training file of 100 MB', () => {
  it.each(moments)(
    'reaches its account whole, once, when the host is killed $moment, and no copy of it stays',
    async ({ isNow }) => {
      const since = (await stack.ledger()).length
      const { id } = await train()
      const pid = stack.hostPid()
      await eventually('it is on its way', async () => (await isNow()) || undefined, ENDED_MS_MAX)
      if (pid === undefined) throw new Error('no host is there')
      process.kill(pid, 'SIGKILL')
      await stack.restarted(pid)

      expect(await ended(id)).toMatchObject({ status: 'succeeded', trained_tokens: trainedTokens })
      expect(await filesAtAccounts()).toEqual([])
      expect(await inTheClear()).toEqual([])
      const served = (await stack.ledger()).slice(since).map(({ operation }) => operation)
      expect(served).toContain('files.import')
      expect(served).not.toContain('files.create')
      expect(served.filter((operation) => operation === 'fine_tuning.jobs.create')).toHaveLength(1)
    },
    ENDED_MS_MAX,
  )
})

const train = () =>
  client.fineTuning.jobs.create({
    model: MODEL,
    training_file: fileId,
    method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 1 } } },
  })

const ended = (id: string) => jobEnded(client, id, ENDED_MS_MAX)

/** A little more than what accounts fetch by themselves, in lines of 40 kB. */
function largeFile(): Buffer {
  const answer = 'It is on its way to you. '.repeat(1_600)
  const line = (order: number) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: `Where is order ${order}?` },
        { role: 'assistant', content: answer },
      ],
    })
  const count = Math.ceil(IMPORT_BYTES_MIN / line(0).length)
  const lines = Array.from({ length: count }, (_, order) => line(order))
  return Buffer.from(lines.join('\n'))
}

async function uploadedByLink(content: Buffer): Promise<string> {
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${stack.baseUrl}/api/tenant/datasets/uploads${path}`, {
      method,
      headers: { 'api-key': tenant.apiKey, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  const { id, url } = await ask<{ id: string; url: string }>('POST', '', { filename: 'train.jsonl' })
  await new BlockBlobClient(url).uploadData(content, { blockSize: 32 * 1024 * 1024, concurrency: 4 })
  await ask('POST', `/${id}/complete`)
  return eventually(
    'the file is taken in',
    async () => (await ask<{ file?: string }>('GET', `/${id}`)).file,
    ENDED_MS_MAX,
  )
}
