import { randomBytes } from 'node:crypto'
import type { HubStore } from '../../../local/host/durable/hub-store'
import { createMemoryStore } from '../../../local/host/durable/memory-store'
import { newOrchestration } from '../../../local/host/durable/new-records'
import type { InstanceRecord, StoredMessage } from '../../../local/host/durable/records'
import { createTableStore } from '../../../local/host/durable/table-store'
import { createConnections } from '../../../local/host/storage-connections'
import { testConnectionString } from '../../harness/storage'

function tableStore(): HubStore {
  const name = `Hub${randomBytes(6).toString('hex')}`
  const connections = createConnections({ AzureWebJobsStorage: testConnectionString() })
  const blobs = connections.blobs('AzureWebJobsStorage').getContainerClient(name.toLowerCase())
  return createTableStore({ table: connections.table('AzureWebJobsStorage', name), blobs })
}

const recordOf = (instanceId: string, changes: Partial<InstanceRecord> = {}): InstanceRecord => ({
  ...newOrchestration({ instanceId, name: 'orchestrate', generation: 0 }, Date.UTC(2026, 0, 1), () => 'id'),
  ...changes,
})
const event = (key: string, input: string): StoredMessage => ({
  key,
  message: { kind: 'event', lifeId: 'id', name: 'go', input },
})

describe.each([
  ['memory', createMemoryStore],
  ['a table', tableStore],
])('a hub in %s', (_name, create) => {
  let store: HubStore
  beforeEach(async () => {
    store = create()
    await store.init()
  })
  const make = async (instanceId: string, changes: Partial<InstanceRecord> = {}, isOpen = true) => {
    const record = { value: recordOf(instanceId, changes), input: '{"a":1}', isOpen, basedOn: undefined }
    const result = await store.commit({ instanceId, record })
    return result.kind === 'written' ? result.version : undefined
  }

  it('gives back what was stored, whatever the id and however long the values', async () => {
    const instanceId = 'a/b\\c#d?é %!'
    const version = await make(instanceId)
    const long = JSON.stringify('x'.repeat(900_000))
    const record = {
      value: recordOf(instanceId, { output: long, status: 'Completed' }),
      isOpen: false,
      basedOn: version,
    }
    const messages = [event('mz1', '"short"'), event('mz2', long)]
    expect((await store.commit({ instanceId, record, messages })).kind).toBe('written')

    const partition = await store.partition(instanceId)
    expect(partition?.record).toEqual(record.value)
    expect(partition?.input).toBe('{"a":1}')
    expect(partition?.messages).toEqual(messages)
  })

  it('lets exactly one of two changes of one version win, and the loser leaves nothing', async () => {
    const basedOn = await make('i')
    const change = (status: InstanceRecord['status'], key: string) =>
      store.commit({
        instanceId: 'i',
        record: { value: recordOf('i', { status }), isOpen: true, basedOn },
        messages: [event(key, '1')],
      })
    const results = await Promise.all([change('Running', 'mz1'), change('Failed', 'mz2')])

    expect(results.map(({ kind }) => kind).sort()).toEqual(['lost', 'written'])
    const winner = results[0]?.kind === 'written' ? 'Running' : 'Failed'
    const partition = await store.partition('i')
    expect(partition?.record.status).toBe(winner)
    expect(partition?.messages.map(({ key }) => key)).toEqual([winner === 'Running' ? 'mz1' : 'mz2'])
  })

  it('refuses to make an instance that there is, and to delete a row that there is not', async () => {
    await make('i')
    expect(await make('i')).toBeUndefined()

    const lost = await store.commit({ instanceId: 'i', messages: [event('mz1', '1')], remove: ['mz-none'] })
    expect(lost.kind).toBe('lost')
    expect((await store.partition('i'))?.messages).toEqual([])
  })

  it('names the instances that have something left to do, and only those', async () => {
    await make('open')
    await make('resting', { status: 'Completed' }, false)

    expect(await store.openIds()).toEqual(['open'])
  })

  it('lists by kind, status and time of creation', async () => {
    await make('done', { status: 'Completed' })
    await make('late', { createdMs: Date.UTC(2026, 5, 1) })
    await make('@counter@k', { kind: 'entity' })
    const ids = async (filter: object) => {
      const page = await store.list({ kind: 'orchestration', statuses: [], ...filter }, { sizeMax: 10 })
      return page.instances.map(({ record }) => record.instanceId).sort()
    }

    expect(await ids({})).toEqual(['done', 'late'])
    expect(await ids({ statuses: ['Completed', 'Failed'] })).toEqual(['done'])
    expect(await ids({ createdFromMs: Date.UTC(2026, 4, 1) })).toEqual(['late'])
    expect(await ids({ createdToMs: Date.UTC(2026, 4, 1) })).toEqual(['done'])
    expect(await ids({ kind: 'entity' })).toEqual(['@counter@k'])
  })

  it('forgets a purged instance, its long values included, and says whether there was one', async () => {
    await make('i')
    await store.commit({ instanceId: 'i', messages: [event('mz1', JSON.stringify('x'.repeat(900_000)))] })

    expect(await store.purge('i')).toBe(true)
    expect(await store.partition('i')).toBeUndefined()
    expect(await store.purge('i')).toBe(false)
  })
})

it('a list in a table comes in pages that miss nothing', async () => {
  const store = tableStore()
  await store.init()
  const ids = Array.from({ length: 7 }, (_, i) => `i${i}`)
  for (const instanceId of ids) {
    const record = { value: recordOf(instanceId), input: 'null', isOpen: true, basedOn: undefined }
    await store.commit({ instanceId, record })
  }
  const seen: string[] = []
  let continuation: string | undefined
  do {
    const page = await store.list({ kind: 'orchestration', statuses: [] }, { sizeMax: 3, continuation })
    expect(page.instances.length).toBeLessThanOrEqual(3)
    seen.push(...page.instances.map(({ record }) => record.instanceId))
    continuation = page.continuation
  } while (continuation !== undefined)

  expect(seen.sort()).toEqual(ids)
})
