import { readMarks, withoutMarks } from '../../src/recovery/replica-row'
import { replicateRows } from '../../src/recovery/replicate-rows'
import { Problem } from '../../src/base/problem'
import { tenantTable } from '../../src/storage/tenant-table'
import { HOUR_MS, KEPT_MS, LAG_MS, recoveryWorld } from './recovery-world'

let world: Awaited<ReturnType<typeof recoveryWorld>>
beforeAll(async () => {
  world = await recoveryWorld()
})
/** Each test's runs are of its own tenants. */
beforeEach(() => void world.everyone.splice(0))

/** Beyond what a row holds, so that its chunk lies in a blob. */
const TEXT = 'a line to learn from\n'.repeat(5_000)

describe('replication', () => {
  it('copies jobs, the files they refer to and the wrapped keys as the sealed bytes they are, and nothing else', async () => {
    const scope = await world.newTenant()
    const fileId = await world.keepFile(scope, TEXT)
    const other = await world.keepFile(scope, 'a file that no job refers to')
    await world.keepJob(scope, fileId)
    await world.records.put(scope, 'batches-one', { is: 'no part of fine-tuning' })
    await world.recovery.replicate()

    const source = (await world.places.contents(scope, { kind: 'logical' })).tables.content
    const copied = await world.replicaRows(scope)
    const kinds = [...copied.keys()].map((key) => key.slice(0, key.indexOf('-'))).sort()
    expect(kinds).toEqual(['file', 'filechunk', 'tuningjobs'])
    for (const [key, { etag: _, ...columns }] of copied)
      expect(withoutMarks(columns as never)).toEqual((await source.get(key))?.columns)
    const chunk = [...copied].find(([key]) => key.startsWith('filechunk-'))
    const blobs = (await world.replica.content(scope, 'logical')).blobs
    const bytes = await blobs?.get(`${chunk?.[0]}/${String(chunk?.[1]['blob'])}`)
    expect(bytes?.length).toBeGreaterThan(TEXT.length)
    expect(bytes?.includes('a line to learn from')).toBe(false)
    expect(await world.files.get(scope, other)).toBeDefined()
    const keys = await world.replica.table(scope, 'datakeys').rows.get('v000001')
    const ownKeys = await tenantTable(world.storage.table('datakeys')).get(scope, 'v000001')
    expect(keys && withoutMarks(keys.columns)).toEqual(ownKeys?.columns)
  })

  it('copies only what has changed since, and may run twice at once', async () => {
    const scope = await world.newTenant()
    const job = await world.keepJob(scope, await world.keepFile(scope, TEXT))
    await world.recovery.replicate()
    const before = await world.replicaRows(scope)
    await world.jobs.change(scope, job.id, (kept) => ({ ...kept, status: 'running' }))
    await Promise.all([world.recovery.replicate(), world.recovery.replicate()])
    const after = await world.replicaRows(scope)
    const changed = [...after].filter(([key, { etag }]) => before.get(key)?.['etag'] !== etag).map(([key]) => key)
    expect(changed).toEqual([expect.stringMatching(/^tuningjobs-/)])
    expect([...after.keys()]).toEqual([...before.keys()])
  })

  it('keeps what is gone from the first region for the bounded time, then it goes too', async () => {
    const scope = await world.newTenant()
    const fileId = await world.keepFile(scope, TEXT)
    await world.keepJob(scope, fileId)
    await world.recovery.replicate()
    const { pieces = [] } = (await world.files.get(scope, fileId)) ?? {}
    await world.files.remove(scope, fileId)
    await world.contents.remove(scope, pieces)
    await world.recovery.replicate()
    const marked = [...(await world.replicaRows(scope))].filter(
      ([, columns]) => readMarks(columns as never).goneAtMs !== undefined,
    )
    expect(marked.map(([key]) => key.split('-')[0])).toEqual(['file', 'filechunk'])
    await world.clock.advance(KEPT_MS - HOUR_MS)
    await world.recovery.replicate()
    expect((await world.replicaRows(scope)).size).toBe(3)
    await world.clock.advance(HOUR_MS)
    await world.recovery.replicate()
    expect([...(await world.replicaRows(scope)).keys()]).toEqual([expect.stringMatching(/^tuningjobs-/)])
    const { blobs } = await world.replica.content(scope, 'logical')
    const left: string[] = []
    for await (const { name } of blobs?.list('') ?? []) left.push(name)
    expect(left).toEqual([])
  })

  it('goes on where a part of a pass ended', async () => {
    const scope = await world.newTenant()
    for (let n = 0; n < 5; n++) await world.keepJob(scope, await world.keepFile(scope, 'x'))
    const { tables, containers } = await world.places.contents(scope, { kind: 'logical' })
    const from = { rows: tables.content, blobs: containers.content }
    const to = await world.replica.content(scope, 'logical')
    const bounds = { isWanted: () => true, mayChange: async () => {}, nowMs: 0, goneKeptMs: 0 }
    const parts: number[] = []
    let next: string | undefined = ''
    while (next !== undefined) {
      const part = await replicateRows(from, to, { ...bounds, from: next, looksMax: 1_000, changesMax: 4 })
      parts.push(part.copied)
      next = part.next
    }
    expect(parts).toEqual([4, 4, 4, 3])
    let looks = 0
    for (next = ''; next !== undefined; looks++)
      ({ next } = await replicateRows(from, to, { ...bounds, from: next, looksMax: 4, changesMax: 1_000 }))
    expect(looks).toBe(4)
    expect((await world.replicaRows(scope)).size).toBe(15)
  })

  it('gives a tenant with tables of its own tables of its own', async () => {
    const scope = await world.newTenant({ isolation: { models: 'shared', data: 'container' } })
    await world.keepJob(scope, await world.keepFile(scope, TEXT))
    await world.recovery.replicate()
    expect((await world.replicaRows(scope, 'container')).size).toBe(3)
    expect((await world.replicaRows(scope)).size).toBe(0)
  })
})

describe('a tenant that may not be in the paired region', () => {
  it('has nothing there, and the status says why', async () => {
    const scope = await world.newTenant({ residency: ['swedencentral'] })
    await world.keepJob(scope, await world.keepFile(scope, TEXT))
    await world.recovery.replicate()
    expect(await world.replica.census(scope)).toBe(0)
    const status = await world.recovery.status({ limit: 100 })
    expect(status.tenants.find(({ tenantId }) => tenantId === scope.tenantId)).toMatchObject({
      state: 'left-out',
      leftOut: 'residency',
      why: expect.stringContaining('not among the regions'),
    })
    // And nothing can be brought back of it.
    expect(await world.restore(scope)).toMatchObject({ code: 'conflict' })
  })

  it('has nothing there any more once it is bound to other regions', async () => {
    const scope = await world.newTenant()
    await world.keepJob(scope, await world.keepFile(scope, TEXT))
    await world.recovery.replicate()
    expect(await world.replica.census(scope)).toBeGreaterThan(0)
    await world.tenants.patch(scope, { residency: ['swedencentral'] }, () => true)
    await world.recovery.replicate()
    expect(await world.replica.census(scope)).toBe(0)
  })
})

describe('deleting a tenant', () => {
  it('leaves nothing in the replica, and no later run brings anything back', async () => {
    const scope = await world.newTenant()
    await world.keepJob(scope, await world.keepFile(scope, TEXT))
    await world.recovery.replicate()
    expect((await world.sweep(scope, [])).left).toContainEqual(expect.stringMatching(/^paired region: table content/))
    await world.tenants.transition(scope, 'begin-offboarding')
    for (const store of world.stores) expect(await store.remove(scope)).toEqual({ kind: 'removed' })
    await world.recovery.replicate()
    expect(await world.replica.census(scope)).toBe(0)
    const { looked, left } = await world.sweep(scope, [])
    expect(left.filter((place) => place.startsWith('paired region'))).toEqual([])
    expect(looked).toContain('paired region: table datakeys')
  })

  it('destroys its key in the paired region before it does in the first', async () => {
    const scope = await world.newTenant()
    await world.keepJob(scope, await world.keepFile(scope, TEXT))
    await world.recovery.replicate()
    await world.keyring.destroy(scope)
    expect(await world.replica.table(scope, 'datakeys').rows.get('v000001')).toBeUndefined()
  })
})

describe('the lag', () => {
  it('counts from the beginning of the last whole pass, and raises an alert past its bound until it is over', async () => {
    // Of its own: what other tests leave behind is behind.
    const world = await recoveryWorld()
    const scope = await world.newTenant()
    await world.keepJob(scope, await world.keepFile(scope, TEXT))
    await world.recovery.replicate()
    const own = async () =>
      (await world.recovery.status({ limit: 100 })).tenants.find(({ tenantId }) => tenantId === scope.tenantId)
    expect(await own()).toMatchObject({ state: 'whole', lagSeconds: 0, records: 3 })
    // Its key is gone, so nothing of it can be read: the replica stays as it is.
    await tenantTable(world.storage.table('datakeys')).removeAll(scope)
    await world.clock.advance(LAG_MS + 60_000)
    await world.recovery.replicate()
    expect(await own()).toMatchObject({ lagSeconds: (LAG_MS + 60_000) / 1_000 })
    expect((await world.replicaRows(scope)).size).toBe(3)
    const lag = async () =>
      (await world.alerts.page({ after: undefined, limit: 100 })).find(({ id }) => id === 'recovery-lag')
    expect(await lag()).toMatchObject({ state: 'open', detail: expect.stringContaining(scope.tenantId) })
    expect(await world.restore(scope)).not.toBeInstanceOf(Problem)
    await world.recovery.replicate()
    expect(await lag()).toMatchObject({ state: 'resolved' })
  })
})
