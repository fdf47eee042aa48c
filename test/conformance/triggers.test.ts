import { BlobServiceClient } from '@azure/storage-blob'
import { QueueServiceClient } from '@azure/storage-queue'
import { testConnectionString } from '../harness/storage'
import { eventually } from './eventually'
import { runsOf } from './runs-of'
import { freshNames, type RunningHost, startHost } from './start-host'

const env = freshNames()
const run = env['RUN'] ?? ''
const blobs = BlobServiceClient.fromConnectionString(testConnectionString())
const queues = QueueServiceClient.fromConnectionString(testConnectionString())
const base64 = (text: string) => Buffer.from(text).toString('base64')

let host: RunningHost
beforeAll(async () => {
  host = await startHost({ env })
})
afterAll(() => host.stop())

async function startByHand(name: string, body: unknown): Promise<number> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  return (await fetch(`${host.baseUrl}/admin/functions/${name}`, init)).status
}

async function send(queueName: string, message: string): Promise<void> {
  const queue = queues.getQueueClient(`${queueName}-${run}`)
  await queue.createIfNotExists()
  await queue.sendMessage(message)
}

async function texts(queueName: string, least: number): Promise<string[]> {
  const queue = queues.getQueueClient(queueName)
  return eventually(`${least} messages in ${queueName}`, async () => {
    if (!(await queue.exists())) return undefined
    const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 })
    return peekedMessageItems.length >= least ? peekedMessageItems.map(({ messageText }) => messageText) : undefined
  })
}

const orders = () => runsOf<{ order: { customer: string }; dequeueCount: number }>(run, 'orders')

describe('a timer', () => {
  it('runs on its schedule, and each occurrence once', async () => {
    const runs = await eventually('three runs of the timer', async () => {
      const found = await runsOf<{ next: string; isPastDue: boolean }>(run, 'everySecond')
      return found.length >= 3 ? found : undefined
    })

    expect(runs.every(({ isPastDue }) => !isPastDue)).toBe(true)
    const seconds = new Set(runs.map(({ next }) => next.slice(0, 19)))
    expect(seconds.size).toBe(runs.length)
  })

  it('runs once when it is started by hand, whatever its schedule', async () => {
    expect(await startByHand('yearly', { input: '' })).toBe(202)

    const runs = await eventually('a run of the timer', async () => {
      const found = await runsOf(run, 'yearly')
      return found.length > 0 ? found : undefined
    })
    expect(runs).toEqual([{ isPastDue: false, schedule: { adjustForDST: true } }])
  })
})

describe('a queue trigger', () => {
  it('gets a message parsed, and its outputs are written', async () => {
    await send('orders', base64(JSON.stringify({ customer: 'ada' })))

    const sent = await texts(`receipts-${run}`, 2)
    expect(sent.map((text) => Buffer.from(text, 'base64').toString())).toEqual(
      expect.arrayContaining(['{"paid":"ada"}', 'thanks']),
    )
    const container = blobs.getContainerClient(`receipts-${run}`)
    const names = (await Array.fromAsync(container.listBlobsFlat())).map(({ name }) => name)
    const name = names.find((blob) => blob.endsWith('/ada.txt')) ?? ''
    expect((await container.getBlobClient(name).downloadToBuffer()).toString()).toBe('receipt of ada')
  })

  it('puts a message that fails twice into the poison queue, and it is gone from its own', async () => {
    await send('orders', base64(JSON.stringify({ customer: 'fail' })))

    const poison = await texts(`orders-${run}-poison`, 1)
    expect(Buffer.from(poison[0] ?? '', 'base64').toString()).toBe('{"customer":"fail"}')
    await eventually('the queue is empty', async () => {
      const properties = await queues.getQueueClient(`orders-${run}`).getProperties()
      return properties.approximateMessagesCount === 0 ? true : undefined
    })
  })

  it('that works through many messages takes each one', async () => {
    const customers = Array.from({ length: 40 }, (_, i) => `c${i}`)
    for (const customer of customers) await send('orders', base64(JSON.stringify({ customer })))

    const served = await eventually('all messages are handled', async () => {
      const names = new Set((await orders()).map(({ order }) => order.customer))
      return customers.every((customer) => names.has(customer)) ? names : undefined
    })
    expect(served.size).toBeGreaterThanOrEqual(40)
  })
})

describe('a blob trigger', () => {
  const upload = async (name: string, text: string) => {
    const container = blobs.getContainerClient(`uploads-${run}`)
    await container.createIfNotExists()
    await container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text))
  }
  const uploads = () => runsOf<{ text: string; metadata: Record<string, unknown> }>(run, 'uploads')

  it('runs once for each version of a blob that matches, with the parts of its name', async () => {
    await upload('acme/a.txt', 'one')
    await upload('acme/ignored.bin', 'not me')
    await eventually('the first version is seen', async () => ((await uploads()).length > 0 ? true : undefined))
    await upload('acme/a.txt', 'two')

    const seen = await eventually('the second version is seen', async () => {
      const found = await uploads()
      return found.some(({ text }) => text === 'two') ? found : undefined
    })
    expect(seen.map(({ text }) => text)).toEqual(['one', 'two'])
    expect(seen[0]?.metadata).toMatchObject({ tenant: 'acme', name: 'a', blobTrigger: `uploads-${run}/acme/a.txt` })
  })

  it('names a blob in the poison queue after five failures', async () => {
    await upload('acme/bad.txt', 'fail always')

    await eventually('the poison message', async () => {
      const all = await texts('webjobs-blobtrigger-poison', 1)
      return all.some((text) => Buffer.from(text, 'base64').toString().includes(`uploads-${run}`)) ? true : undefined
    })
    expect((await uploads()).filter(({ text }) => text === 'fail always')).toHaveLength(5)
  })
})

describe('a function with a manual trigger', () => {
  it('gets the input that it is started with', async () => {
    expect(await startByHand('byHand', { input: 'hello' })).toBe(202)
    expect(await startByHand('unknown', { input: 'hello' })).toBe(404)

    const runs = await eventually('the run', async () => {
      const found = await runsOf(run, 'byHand')
      return found.length > 0 ? found : undefined
    })
    expect(runs).toEqual([{ input: 'hello' }])
  })
})
