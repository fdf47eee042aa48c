import { Problem } from '../../src/base/problem'
import { SealError } from '../../src/encryption/sealer'
import { HOUR_MS, recoveryWorld } from './recovery-world'

let world: Awaited<ReturnType<typeof recoveryWorld>>
beforeAll(async () => {
  world = await recoveryWorld()
})
/** Each test's runs are of its own tenants. */
beforeEach(() => void world.everyone.splice(0))

const TEXT = 'a line to learn from\n'.repeat(5_000)

async function replicated() {
  const scope = await world.newTenant()
  const fileId = await world.keepFile(scope, TEXT)
  const job = await world.keepJob(scope, fileId)
  await world.recovery.replicate()
  return { scope, fileId, job }
}

describe('restoring', () => {
  it('brings back keys, jobs and files that were lost, so that they open and read as before', async () => {
    const { scope, fileId, job } = await replicated()
    await world.loseEverything(scope)
    expect(await world.restore(scope)).toMatchObject({ keys: '1', records: '3', damaged: '0' })
    expect(await world.jobs.get(scope, job.id)).toEqual(job)
    expect(await world.readFile(scope, fileId)).toBe(TEXT)
    // And once more changes nothing.
    expect(await world.restore(scope)).toMatchObject({ keys: '0', records: '3' })
  })

  it('writes over nothing that is there, however much older it is in the replica', async () => {
    const { scope, fileId, job } = await replicated()
    await world.jobs.change(scope, job.id, (kept) => ({ ...kept, status: 'running' }))
    await world.files.remove(scope, fileId)
    await world.restore(scope)
    expect(await world.jobs.get(scope, job.id)).toMatchObject({ status: 'running' })
    expect(await world.readFile(scope, fileId)).toBe(TEXT)
  })

  it('leaves deleted what was deleted before the loss', async () => {
    const { scope, fileId, job } = await replicated()
    const { pieces = [] } = (await world.files.get(scope, fileId)) ?? {}
    await world.files.remove(scope, fileId)
    await world.contents.remove(scope, pieces)
    await world.recovery.replicate()
    await world.clock.advance(HOUR_MS)
    const lostSince = world.clock.now()
    await world.loseEverything(scope)
    expect(await world.restore(scope, { lostSince })).toMatchObject({ records: '1', deleted: '2' })
    expect(await world.jobs.get(scope, job.id)).toEqual(job)
    expect(await world.files.get(scope, fileId)).toBeUndefined()
  })

  it('brings back nothing that is not what was copied, and tells operators', async () => {
    const { scope, fileId, job } = await replicated()
    const { rows } = await world.replica.content(scope, 'logical')
    const key = [...(await world.replicaRows(scope)).keys()].find((name) => name.startsWith('tuningjobs-')) ?? ''
    const row = await rows.get(key)
    await rows.replace(key, { ...row?.columns, sealed: Buffer.from('something else') }, row?.etag ?? '')
    await world.loseEverything(scope)
    expect(await world.restore(scope)).toMatchObject({ records: '2', damaged: '1' })
    expect(await world.jobs.get(scope, job.id)).toBeUndefined()
    expect(await world.readFile(scope, fileId)).toBe(TEXT)
    const alerts = await world.alerts.page({ after: undefined, limit: 100 })
    expect(alerts).toContainEqual(
      expect.objectContaining({ tenantId: scope.tenantId, detail: expect.stringContaining(key) }),
    )
  })

  it('changes nothing where the tenant has another key by now', async () => {
    const { scope } = await replicated()
    await world.loseEverything(scope)
    await world.keyring.create(scope)
    const refused = await world.restore(scope)
    expect(refused).toBeInstanceOf(Problem)
    expect(refused).toMatchObject({ code: 'conflict', public: expect.stringContaining('another data key') })
  })

  it('of a row that was moved to another tenant opens nothing with that tenant’s key', async () => {
    const [one, other] = [await replicated(), await replicated()]
    const key = [...(await world.replicaRows(one.scope)).keys()].find((name) => name.startsWith('tuningjobs-')) ?? ''
    const row = await (await world.replica.content(one.scope, 'logical')).rows.get(key)
    await (await world.replica.content(other.scope, 'logical')).rows.insert(key, row?.columns ?? {})
    expect(await world.restore(other.scope)).not.toBeInstanceOf(Problem)
    await expect(world.jobs.get(other.scope, one.job.id)).rejects.toThrow(SealError)
  })

  it('brings back a key that a rotation has made, and what is sealed with it', async () => {
    const { scope, fileId } = await replicated()
    await world.keyring.addVersion(scope, world.ids.operationId('rot'))
    const second = await world.keepFile(scope, TEXT)
    await world.keepJob(scope, second)
    await world.recovery.replicate()
    await world.loseEverything(scope)
    expect(await world.restore(scope)).toMatchObject({ keys: '2' })
    expect(await world.readFile(scope, fileId)).toBe(TEXT)
    expect(await world.readFile(scope, second)).toBe(TEXT)
  })
})
