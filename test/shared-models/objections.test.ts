import { backendOf, offeredTo, type SharedModelId } from '../../src/shared-models/shared-model'
import { reconsider } from '../../src/shared-models/objections'
import { linesOf, PURPOSE, sharedWorld, type SharedWorld, type WorldTenant } from './shared-world'

let world: SharedWorld
let tenants: WorldTenant[]
beforeEach(async () => {
  world = await sharedWorld()
  tenants = await consenting(4)
})
afterEach(() => world.close())

async function consenting(count: number, lines = 10): Promise<WorldTenant[]> {
  const made: WorldTenant[] = []
  for (let n = 0; n < count; n++) {
    const tenant = await world.newTenant(linesOf(n, lines))
    await world.consent(tenant)
    made.push(tenant)
  }
  return made
}
const tenant = (n: number): WorldTenant => {
  const found = tenants[n]
  if (!found) throw new Error(`there is no tenant ${n}`)
  return found
}
const contributorsOf = async (id: SharedModelId | undefined) =>
  (await world.model(id)).contributors.flatMap(({ tenantId }) => tenantId ?? []).sort()
const idsOf = (...of: readonly WorldTenant[]) => of.map(({ scope }) => scope.tenantId).sort()
const trainedOn = (id: SharedModelId) => world.trained.get(`ftjob-${id.slice('shm_'.length)}`) ?? ''

async function ready(): Promise<SharedModelId> {
  const id = await world.order()
  expect(await world.run(id)).toMatchObject({ state: 'completed' })
  return id
}

describe('an objection while a model is built', () => {
  it.each(['owner', 'clean', 'train', 'offer'])(
    'before the step %s leaves nothing of the build, and another one begins without the tenant',
    async (step) => {
      const id = await world.order()
      let isSaid = false
      const output = await world.run(id, 'build', async (next) => {
        if (next !== step || isSaid) return
        isSaid = true
        await world.object(tenant(1))
      })
      expect(output.state).toBe('undone')
      expect(world.emptied).toEqual(step === 'owner' ? [] : [`ten_y${id.slice('shm_'.length + 1)}`])
      const failed = await world.model(id)
      expect(failed).toMatchObject({ state: { kind: 'failed', code: 'consent_withdrawn' } })
      // Where it was noticed before anything was sent nothing was.
      if (step !== 'offer') expect(trainedOn(id)).toBe('')

      expect(await world.run(failed.successor ?? id)).toMatchObject({ state: 'completed' })
      expect(await contributorsOf(failed.successor)).toEqual(idsOf(tenant(0), tenant(2), tenant(3)))
    },
  )

  it('that only the ledger knows of is found before anything is sent', async () => {
    const id = await world.order()
    const output = await world.run(id, 'build', async (next) => {
      // As after a crash: nothing has followed from it.
      if (next === 'train') await world.say(tenant(1), { kind: 'objection' })
    })
    expect(output.state).toBe('undone')
    expect(trainedOn(id)).toBe('')
  })
})

describe('an objection to a model that is ready', () => {
  it('begins one other model, however often what follows is repeated', async () => {
    const id = await ready()
    await Promise.all([world.object(tenant(0)), world.object(tenant(0))])
    await world.watch()
    const { successor, affected } = await world.model(id)
    expect(affected).toMatchObject({ objections: 1 })
    const all: string[] = []
    for await (const model of world.deps.models.list()) all.push(model.id)
    expect(all).toEqual([id, successor])
  })

  it('shares the deployment with the tenant no longer', async () => {
    const id = await ready()
    await world.object(tenant(0))
    const stored = await world.deps.backends.read(backendOf(id))
    expect([...(stored?.backend.sharedWith ?? [])].sort()).toEqual(idsOf(tenant(1), tenant(2), tenant(3)))
  })

  it('is noticed by the watch where nothing followed from it', async () => {
    const id = await ready()
    await world.say(tenant(0), { kind: 'objection' })
    expect((await world.model(id)).affected).toBeUndefined()
    await world.watch()
    expect(await world.model(id)).toMatchObject({ affected: { objections: 1 } })
    expect((await world.model(id)).successor).toBeDefined()
  })

  it('and a consent to fewer files is one; to more, or to a newer text, is none', async () => {
    const id = await ready()
    const more = await world.newTenant(linesOf(5, 3))
    const { purposes } = world.deps
    await purposes.put(PURPOSE, { title: 'Order support', region: 'swedencentral', text: 'Another text.' })
    const { scope, fileId } = tenant(0)
    const wider = await world.say(tenant(0), { kind: 'consent', textVersion: 2, files: [fileId] })
    await reconsider(world.deps, scope, wider)
    expect((await world.model(id)).affected).toBeUndefined()

    // A file that the tenant has, and not the one whose examples are in the model.
    const other = await world.server.parts.files.files.create(
      scope,
      { filename: 'other.jsonl', purpose: 'fine-tune', createdBy: undefined },
      (async function* () {
        yield Buffer.from('{}')
      })(),
    )
    if (!('id' in other)) throw new Error(other.public)
    await reconsider(
      world.deps,
      scope,
      await world.say(tenant(0), { kind: 'consent', textVersion: 2, files: [other.id] }),
    )
    expect((await world.model(id)).affected).toMatchObject({ objections: 1 })
    expect(offeredTo(await world.model(id))).not.toContain(more.scope.tenantId)
  })
})

it('where operators decide, an objection proposes and begins nothing, and the model ends when its time is over all the same', async () => {
  await world.close()
  world = await sharedWorld({ retrain: 'propose', affectedMsMax: 1_000, drainMs: 1_000 })
  tenants = await consenting(4)
  const id = await ready()
  await world.object(tenant(0))
  await world.watch()
  const model = await world.model(id)
  expect(model.affected).toBeDefined()
  expect(model.successor).toBeUndefined()
  const alerts = await world.deps.alerts.page({ after: undefined, limit: 10 })
  expect(alerts.find((alert) => alert.id === `shared-model-affected/${id}`)?.detail).toContain(`${id}/retrain`)

  await world.clock.advance(1_000)
  await world.watch()
  expect((await world.model(id)).state).toMatchObject({ kind: 'retiring', why: 'affected' })
  expect(await world.run(id, 'retirement')).toMatchObject({ state: 'completed' })
  expect((await world.model(id)).state.kind).toBe('retired')
  expect(world.emptied).toEqual([`ten_y${id.slice('shm_'.length + 1)}`])
})
