import { eventually } from './eventually'
import { type RunningHost, startHost } from './start-host'

interface Links {
  readonly statusQueryGetUri: string
  readonly sendEventPostUri: string
  readonly terminatePostUri: string
  readonly suspendPostUri: string
  readonly resumePostUri: string
  readonly purgeHistoryDeleteUri: string
}
interface Status {
  readonly runtimeStatus: string
  readonly output: unknown
  readonly input: unknown
  readonly customStatus: unknown
  readonly createdTime: string
  readonly lastUpdatedTime: string
}

let host: RunningHost
let ids = 0
beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.stop())

const newId = () => `i${Date.now()}-${++ids}`
const post = (path: string, body: unknown = null) =>
  fetch(`${host.baseUrl}/api/${path}`, { method: 'POST', body: JSON.stringify(body) })

async function run(name: string, input: unknown = null): Promise<unknown> {
  const answer = await post(`run/${name}`, input)
  return answer.json()
}

async function start(name: string, input: unknown = null, id = newId()): Promise<Links & { id: string }> {
  const answer = await post(`start/${name}/${id}`, input)
  expect(answer.status).toBe(202)
  return (await answer.json()) as Links & { id: string }
}

async function statusOf(links: Links): Promise<Status> {
  return (await (await fetch(links.statusQueryGetUri)).json()) as Status
}

const until = (links: Links, wanted: string) =>
  eventually(`the instance is ${wanted}`, async () => {
    const status = await statusOf(links)
    return status.runtimeStatus === wanted ? status : undefined
  })

const raise = (links: Links, event: string, body: unknown) =>
  fetch(links.sendEventPostUri.replace('{eventName}', event), {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

describe('an orchestration', () => {
  it('hands the result of one activity to the next', async () => {
    expect(await run('chain', { q: 1 })).toEqual({ first: 'said a', second: 'said said a', input: { q: 1 } })
  })

  it('hands over every JSON value as what it was', async () => {
    const kinds = ['string', 'string', 'number', 'boolean', 'object', 'object', 'string']
    expect(((await run('encodings')) as { kind: string }[]).map(({ kind }) => kind)).toEqual(kinds)
  })

  it('that fails says why, and one that catches goes on', async () => {
    const failed = (await run('fails')) as Status
    expect(failed.runtimeStatus).toBe('Failed')
    expect(failed.output).toContain('activity failed on purpose')
    expect(await run('catches')).toContain('activity failed on purpose')
  })

  it('tries again until an activity succeeds, and gives up after the last attempt', async () => {
    expect(await run('retries')).toBe(3)
    expect(await run('retriesInVain')).toEqual([expect.stringContaining('on purpose'), 'said after'])
  })

  it('keeps results apart when retries, children and plain calls run side by side', async () => {
    expect(await run('mixed')).toEqual(['said one', 3, 'said two', 3, 'said three'])
  })

  it('sleeps on a durable timer, at least as long as it said', async () => {
    expect(await run('timer')).toBeGreaterThanOrEqual(300)
  })

  it('adds up what 150 activities returned', async () => {
    expect(await run('fanOut', { count: 150 })).toBe((149 * 150) / 2)
  })

  it('carries values that are larger than a property of a table', async () => {
    expect(await run('large', { characters: 700_000 })).toHaveLength(700_005)
  })

  it('starts anew with new input as often as it asks', async () => {
    expect(await run('again', { left: 5, sum: 0 })).toBe(15)
  })

  it('shows its custom status while it waits', async () => {
    const links = await start('status')
    await eventually('the custom status', async () => {
      const { customStatus } = await statusOf(links)
      return JSON.stringify(customStatus) === '{"phase":"waiting"}' ? true : undefined
    })
    await raise(links, 'go', null)
    expect((await until(links, 'Completed')).customStatus).toEqual({ phase: 'over' })
  })

  it('is not finished while a timer that lost a race has still to fire', async () => {
    const links = await start('leftTimer')
    const { output, createdTime, lastUpdatedTime } = await until(links, 'Completed')
    expect(output).toBe('said x')
    // Its timer takes two seconds, and the real host tells whole ones.
    expect(Date.parse(lastUpdatedTime) - Date.parse(createdTime)).toBeGreaterThanOrEqual(1_000)
  })
})

describe('an external event', () => {
  it('is kept until it is waited for, and events of one name are taken in order', async () => {
    const links = await start('event')
    await raise(links, 'go', 1)
    await raise(links, 'go', { n: 2 })

    expect((await until(links, 'Completed')).output).toEqual([1, { n: 2 }])
  })

  it('wins over a timeout that is then cancelled', async () => {
    const links = await start('timeout', { ms: 60_000 })
    await raise(links, 'go', 'here')

    expect((await until(links, 'Completed')).output).toEqual(['event', 'here', 'said after'])
  })

  it('that never comes loses against the timeout', async () => {
    expect(await run('timeout', { ms: 200 })).toBe('timed out')
  })

  it('for an unknown instance is 404, for a finished one 410', async () => {
    const links = await start('chain')
    await until(links, 'Completed')

    expect((await raise(links, 'go', 1)).status).toBe(410)
    const unknown = { ...links, sendEventPostUri: links.sendEventPostUri.replace(links.id, 'nobody') }
    expect((await raise(unknown, 'go', 1)).status).toBe(404)
  })
})

describe('a sub-orchestration', () => {
  it('returns its result or its failure to its parent', async () => {
    expect(await run('parent')).toEqual(['said x', expect.stringContaining('child failed on purpose')])
  })

  it('is tried again as often as its parent asked', async () => {
    expect(await run('childrenWithRetry')).toEqual([expect.stringContaining('on purpose'), 'said after'])
  })
})

describe('an entity', () => {
  it('takes the operations of one orchestration in order, and answers its calls', async () => {
    expect(await run('entities', { key: newId() })).toEqual([5, 'caught', 'said after'])
  })

  it('takes signals of clients and of other entities, and can be read and deleted', async () => {
    const [one, other] = [newId(), newId()]
    const read = async (key: string) =>
      (await (await fetch(`${host.baseUrl}/api/entity/${key}`)).json()) as {
        entityExists: boolean
        entityState: unknown
      }
    await post(`signal/${one}/add`, 7)
    await post(`signal/${one}/forward`, other)

    await eventually('the other entity has five', async () =>
      (await read(other)).entityState === 5 ? true : undefined,
    )
    expect(await read(one)).toMatchObject({ entityExists: true, entityState: 7 })
    await post(`signal/${one}/delete`)
    await eventually('the entity is gone', async () => ((await read(one)).entityExists ? undefined : true))
  })
})

describe('management', () => {
  it('of an instance: suspend keeps it from going on, resume lets it', async () => {
    const links = await start('event')
    await fetch(links.suspendPostUri, { method: 'POST' })
    await until(links, 'Suspended')
    await raise(links, 'go', 1)
    await raise(links, 'go', 2)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect((await statusOf(links)).runtimeStatus).toBe('Suspended')

    await fetch(links.resumePostUri, { method: 'POST' })
    expect((await until(links, 'Completed')).output).toEqual([1, 2])
  })

  it('of an instance: terminate ends it with the reason, purge forgets it', async () => {
    const links = await start('event')
    await fetch(links.terminatePostUri.replace('{text}', 'enough'), { method: 'POST' })

    expect((await until(links, 'Terminated')).output).toBe('enough')
    expect((await fetch(links.purgeHistoryDeleteUri, { method: 'DELETE' })).status).toBe(200)
    expect((await fetch(links.statusQueryGetUri)).status).toBe(404)
  })

  it('refuses a second start under an id that is running', async () => {
    const { id } = await start('event')

    expect((await post(`start/event/${id}`)).status).toBe(409)
  })

  it('lets an id be used again when its instance has finished', async () => {
    const links = await start('chain', 1)
    await until(links, 'Completed')
    await start('chain', 2, links.id)

    const second = await eventually('the second run has finished', async () => {
      const { output, runtimeStatus } = await statusOf(links)
      const { input } = (output ?? {}) as { input?: number }
      return runtimeStatus === 'Completed' && input === 2 ? input : undefined
    })
    expect(second).toBe(2)
  })

  it('lists instances by their status, and purges only what has finished', async () => {
    const waiting = await start('event')
    const done = await start('chain')
    await until(done, 'Completed')
    const url = new URL(waiting.statusQueryGetUri)
    url.pathname = url.pathname.replace(`/${waiting.id}`, '')
    const listed = async (status: string) => {
      url.searchParams.set('runtimeStatus', status)
      const instances = (await (await fetch(url)).json()) as { instanceId: string }[]
      return instances.map(({ instanceId }) => instanceId)
    }

    expect(await listed('Running,Pending')).toContain(waiting.id)
    expect(await listed('Completed')).toContain(done.id)
    expect(await listed('Completed')).not.toContain(waiting.id)
    expect(await listed('Canceled')).toEqual([])
    url.searchParams.set('runtimeStatus', 'Completed')
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(200)
    expect(await listed('Completed')).toEqual([])
    expect((await fetch(waiting.statusQueryGetUri)).status).toBe(202)
  })

  it('tells the client library what a status holds', async () => {
    const { id } = await start('status', { a: 1 })
    const status = (await (await fetch(`${host.baseUrl}/api/status/${id}`)).json()) as Record<string, unknown>

    expect(status).toMatchObject({ name: 'status', instanceId: id, input: { a: 1 } })
  })
})
