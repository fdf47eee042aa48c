import { startSharedModel } from '../../src/shared-models/start-shared-model'
import { ENTRIES_MAX } from '../../src/shared-models/consents'
import type { SharedModelId } from '../../src/shared-models/shared-model'
import { linesOf, PURPOSE, sharedWorld, type SharedWorld } from './shared-world'

let world: SharedWorld
beforeEach(async () => {
  world = await sharedWorld()
})
afterEach(() => world.close())

const trainedOn = (id: SharedModelId) =>
  (world.trained.get(`ftjob-${id.slice('shm_'.length)}`) ?? '').trim().split('\n')

describe('a build', () => {
  it('gives nobody more than one and a half equal parts, whatever it has, and mixes whose is whose', async () => {
    for (const [n, lines] of [
      [0, 400],
      [1, 20],
      [2, 20],
    ] as const)
      await world.consent(await world.newTenant(linesOf(n, lines)))
    const id = await world.order()
    expect(await world.run(id)).toMatchObject({ state: 'completed' })
    const { contributors, merged } = await world.model(id)
    for (const { part } of contributors) expect(part?.bytes).toBeLessThanOrEqual((merged?.bytes ?? 0) / 2 + 1)
    const lines = trainedOn(id)
    expect(lines).toHaveLength(merged?.examples ?? 0)
    expect(lines.reduce((bytes, line) => bytes + line.length + 1, 0)).toBe(merged?.bytes)
    // Whose a line is shows in its words here; runs of one tenant's are short.
    const of = new Set(linesOf(0, 400))
    const isFirst = lines.map((line) =>
      of.has((JSON.parse(line) as { messages: { content: string }[] }).messages[0]?.content ?? ''),
    )
    expect(isFirst.slice(0, lines.length / 2)).toContain(false)
    expect(isFirst.slice(lines.length / 2)).toContain(false)
  })

  it('leaves out a tenant that is bound to other regions, and one that is suspended', async () => {
    for (const n of [0, 1]) await world.consent(await world.newTenant(linesOf(n, 10)))
    await world.consent(await world.newTenant(linesOf(2, 10), { region: 'westeurope', residency: ['westeurope'] }))
    const suspended = await world.newTenant(linesOf(3, 10))
    await world.consent(suspended)
    await world.deps.tenants.transition(suspended.scope, 'suspend')
    await expect(world.order()).rejects.toThrow('too_few_consents: 2 active tenants')
    await world.deps.tenants.transition(suspended.scope, 'resume')
    const { contributors } = await world.model(await runNow())
    expect(contributors).toHaveLength(3)
  })

  it('whose examples of fewer tenants are left than are asked for fails, and nothing is sent', async () => {
    for (const n of [0, 1]) await world.consent(await world.newTenant(linesOf(n, 10)))
    await world.consent(await world.newTenant(['Quillfeather Ossian Marrowby', 'Drumgold Lindqvist Okonkwo']))
    const id = await world.order()
    expect(await world.run(id)).toMatchObject({ state: 'undone' })
    expect(await world.model(id)).toMatchObject({ state: { kind: 'failed', code: 'too_few_consents' } })
    expect(world.trained.size).toBe(0)
  })

  it('is sealed: nothing that it works on lies readable in storage while it is under way', async () => {
    for (const n of [0, 1, 2]) await world.consent(await world.newTenant(linesOf(n, 10)))
    const id = await world.order()
    let looked = 0
    await world.run(id, 'build', async (step) => {
      if (step !== 'merge') return
      const { storage } = world.server
      for await (const blob of storage.container('tenant-content').listBlobsFlat()) {
        const bytes = await storage.container('tenant-content').getBlobClient(blob.name).downloadToBuffer()
        expect(bytes.includes('order')).toBe(false)
        looked += 1
      }
      for await (const row of storage.table('content').listEntities()) {
        for (const value of Object.values(row))
          if (value instanceof Uint8Array || typeof value === 'string')
            expect(Buffer.from(value).includes('where is my')).toBe(false)
        looked += 1
      }
    })
    expect(looked).toBeGreaterThan(6)
  })

  it('that is asked for twice under one id is one', async () => {
    for (const n of [0, 1, 2]) await world.consent(await world.newTenant(linesOf(n, 10)))
    const id = await world.order()
    const { order } = await world.model(id)
    const { purposeId: purpose, baseModel, suffix } = order
    const input = { purpose, baseModel, suffix, hyperparameters: {}, tenantsMin: 3 }
    await startSharedModel(world.deps, { id, by: 'another', input })
    expect(await world.model(id)).toMatchObject({ by: 'somebody' })
  })
})

describe('the ledger of consent', () => {
  it('gives each of many entries at once a place of its own, and what was said last holds', async () => {
    const tenant = await world.newTenant(linesOf(0, 1))
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        world.say(tenant, { kind: 'consent', textVersion: 1, files: [tenant.fileId], terms: [`term ${n}`] }),
      ),
    )
    await world.say(tenant, { kind: 'objection' })
    const sequences: number[] = []
    for await (const { sequence } of world.deps.consents.entries(tenant.scope, PURPOSE)) sequences.push(sequence)
    expect(sequences).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1])
    expect(await world.deps.consents.current(tenant.scope, PURPOSE)).toMatchObject({ kind: 'objection' })
    expect(ENTRIES_MAX).toBeGreaterThan(9)
  })

  it('keeps the entries of a purpose apart from those of one whose name begins with its own', async () => {
    const tenant = await world.newTenant(linesOf(0, 1))
    const longer = `${PURPOSE}-x` as typeof PURPOSE
    await world.deps.purposes.put(longer, { title: 'Other', region: 'swedencentral', text: 'Other.' })
    await world.say(tenant, { kind: 'consent', textVersion: 1, files: [tenant.fileId], purpose: longer })
    expect(await world.deps.consents.current(tenant.scope, PURPOSE)).toBeUndefined()
  })
})

async function runNow(): Promise<SharedModelId> {
  const id = await world.order()
  expect(await world.run(id)).toMatchObject({ state: 'completed' })
  return id
}
