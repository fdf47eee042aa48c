import { TenantScope } from '../../src/storage/tenant-scope'
import { platformOwnerId } from '../../src/tenants/platform-owner'
import type { ModelVersion } from '../../src/registry/model-version'
import { DRAIN_MS, HOUR_MS, hostingWorld, IDLE_MS, type HostingWorld } from './hosting-world'

let world: HostingWorld
beforeEach(async () => {
  world = await hostingWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

async function deployedModel(more: object = {}) {
  const { scope, base } = await world.newTenant(more)
  const model = await world.newModel(scope)
  expect(await world.deployed(scope, model.id)).toEqual({ kind: 'ready' })
  return { scope, base, model }
}

const stateOf = async (scope: TenantScope, { id }: ModelVersion) => (await world.registry.get(scope, id))?.deployment

/** What the timer asks for, and the operation that it becomes. */
async function begin(scope: TenantScope, { id }: ModelVersion, want: 'sleep' | 'wake'): Promise<string | undefined> {
  const before = new Set(world.begun.keys())
  await world.hosting.beginnings.hear({ tenantId: scope.tenantId, modelId: id, want }, world.orchestrations)
  return [...world.begun.keys()].find((key) => !before.has(key))
}

const passing = async (_: string, ms: number) => world.clock.advance(ms)

async function putToSleep(scope: TenantScope, model: ModelVersion) {
  const operation = await begin(scope, model, 'sleep')
  expect(await world.walk(operation ?? '', passing)).toEqual({ kind: 'done' })
  expect(await stateOf(scope, model)).toMatchObject({ kind: 'asleep' })
}

/** An alias of the tenant's that leads to the model alone, as a promotion leaves it. */
const lead = (scope: TenantScope, alias: string, { id }: ModelVersion) =>
  world.tenants.leadAlias(scope, alias, () => [{ members: [{ backendId: `bke_${id.slice(4)}`, weight: 1 }] }])

describe('a model that is put to sleep', () => {
  it('leads nobody to it before anything of it goes, and goes when the last call is over', async () => {
    const { scope, model } = await deployedModel()
    await lead(scope, 'chat', model)
    const operation = await begin(scope, model, 'sleep')
    let isFirst = true
    const drained = world.walk(operation ?? '', async (step, ms) => {
      expect(step).toBe('remove')
      if (isFirst) {
        // Its name and the alias that was promoted to it, in one snapshot.
        for (const name of ['chat', model.name])
          expect(await world.aliasOf(scope, name)).toMatchObject({ asleep: { modelId: model.id } })
        expect(world.deploymentIds()).toHaveLength(1)
        expect(await world.backends.read(`bke_${model.id.slice(4)}`)).toBeDefined()
      }
      isFirst = false
      await world.clock.advance(ms)
    })
    expect(await drained).toEqual({ kind: 'done' })
    expect(isFirst).toBe(false)
    expect(world.clock.now() - world.clock.monotonicMs()).toBeGreaterThan(0)
    expect(world.deploymentIds()).toEqual([])
    expect(await world.backends.read(`bke_${model.id.slice(4)}`)).toBeUndefined()
    expect((await world.registry.get(scope, model.id))?.history.at(-1)).toMatchObject({ kind: 'asleep', by: 'hosting' })
  })

  it('is called back by a call that comes before the last one is over, and is never gone', async () => {
    const { scope, model } = await deployedModel()
    const operation = await begin(scope, model, 'sleep')
    let woken = false
    const sleeping = world.walk(operation ?? '', async (_, ms) => {
      if (!woken) {
        woken = true
        const waking = await begin(scope, model, 'wake')
        expect(await world.walk(waking ?? '')).toEqual({ kind: 'done' })
      }
      await world.clock.advance(ms)
    })
    expect(await sleeping).toEqual({ kind: 'done' })
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'deployed' })
    expect(world.armServer.changes.filter((change) => change.startsWith('DELETE'))).toEqual([])
    expect(await world.aliasOf(scope, model.name)).not.toHaveProperty('asleep')
  })

  it('that is called when it has begun to go comes back when it is gone', async () => {
    const { scope, model } = await deployedModel()
    expect(await world.deployments.leave(scope, model.id, { kind: 'asleep', by: 'test', drainMs: 0 })).toBe(true)
    expect(await world.deployments.ensure(scope, model.id, undefined, 'test')).toMatchObject({ kind: 'not-yet' })
    expect(await world.deployments.goOn(scope, model.id, { kind: 'asleep', by: 'test' })).toMatchObject({
      kind: 'not-yet',
    })
    expect(await world.deployments.goOn(scope, model.id, { kind: 'asleep', by: 'test' })).toEqual({ kind: 'removed' })
    expect(await world.deployed(scope, model.id, undefined)).toEqual({ kind: 'ready' })
    expect(await world.aliasOf(scope, model.name)).not.toHaveProperty('asleep')
  })

  it('stays where an alias still leads to others', async () => {
    const { scope, base, model } = await deployedModel()
    const members = [
      { backendId: base, weight: 90 },
      { backendId: `bke_${model.id.slice(4)}` as const, weight: 10 },
    ]
    await world.tenants.leadAlias(scope, 'chat', () => [{ members }])
    await putToSleep(scope, model)
    expect(await world.aliasOf(scope, 'chat')).not.toHaveProperty('asleep')
    expect(await world.aliasOf(scope, model.name)).toHaveProperty('asleep')
  })

  it('is put to sleep by one operation, however often it is found idle', async () => {
    const { scope, model } = await deployedModel()
    expect(await begin(scope, model, 'sleep')).toBeDefined()
    expect(await begin(scope, model, 'sleep')).toBeUndefined()
  })

  it('is not put to sleep by an old finding, once it was woken since', async () => {
    const { scope, model } = await deployedModel()
    const old = await begin(scope, model, 'sleep')
    await world.clock.advance(1)
    await world.deployments.leave(scope, model.id, { kind: 'asleep', by: 'test', drainMs: DRAIN_MS })
    await world.deployed(scope, model.id, undefined)
    expect(await world.walk(old ?? '', passing)).toEqual({ kind: 'done' })
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'deployed' })
  })
})

describe('a model that is woken', () => {
  it('shows its progress, then answers by its name and by every alias that leads to it, and nothing is left twice', async () => {
    const { scope, model } = await deployedModel()
    await lead(scope, 'chat', model)
    await putToSleep(scope, model)
    const operation = await begin(scope, model, 'wake')
    expect(await begin(scope, model, 'wake')).toBeUndefined()
    const stages = new Set<string | undefined>()
    await world.walk(operation ?? '', async (_, ms) => {
      stages.add((await world.aliasOf(scope, 'chat'))?.asleep?.waking?.stage)
      await world.clock.advance(ms)
    })
    expect([...stages]).toEqual(['making'])
    for (const name of ['chat', model.name]) {
      const alias = await world.aliasOf(scope, name)
      expect(alias).not.toHaveProperty('asleep')
      expect(alias?.groups[0]?.members).toEqual([{ backendId: `bke_${model.id.slice(4)}`, weight: 1 }])
    }
    expect(world.deploymentIds()).toHaveLength(1)
    expect((await world.registry.get(scope, model.id))?.history.at(-1)).toMatchObject({ kind: 'woken' })
  })

  it('keeps what operators have said of its alias', async () => {
    const { scope, model } = await deployedModel()
    const record = await world.tenants.get(scope)
    const own = record?.aliases.find(({ name }) => name === model.name)
    if (!own) throw new Error('it has an alias')
    await world.tenants.putAlias(scope, { ...own, limits: { requestsPerMinute: 7 } })
    await putToSleep(scope, model)
    await world.deployed(scope, model.id, undefined)
    expect(await world.aliasOf(scope, model.name)).toMatchObject({ limits: { requestsPerMinute: 7 } })
  })

  it('promises by its own times, the longest of the last ones', async () => {
    const { scope, model } = await deployedModel()
    await putToSleep(scope, model)
    const operation = await begin(scope, model, 'wake')
    await world.walk(operation ?? '', async () => world.clock.advance(50_000))
    const times = (await world.registry.get(scope, model.id))?.deployTimesMs ?? []
    await world.clock.advance(HOUR_MS)
    await putToSleep(scope, model)
    expect(times.at(-1)).toBeGreaterThanOrEqual(50_000)
    expect(await world.aliasOf(scope, model.name)).toMatchObject({ asleep: { wakeMs: Math.max(...times) } })
  })

  it('whose deployment Azure refuses is asleep again, says so, and is not asked for again at once', async () => {
    const { scope, model } = await deployedModel()
    await putToSleep(scope, model)
    world.armServer.fault = ({ method, path }) =>
      method === 'PUT' && path.includes('/deployments/')
        ? { status: 400, body: { error: { code: 'InsufficientQuota', message: 'none left in one' } } }
        : undefined
    const operation = await begin(scope, model, 'wake')
    expect(await world.walk(operation ?? '', passing)).toMatchObject({ kind: 'failed' })
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'asleep' })
    expect(await world.aliasOf(scope, model.name)).toMatchObject({
      asleep: { refused: { code: 'provisioning_refused', untilMs: expect.any(Number) } },
    })
    expect(await begin(scope, model, 'wake')).toBeUndefined()
    // Nothing of the provider's own words reaches the tenant's snapshot.
    expect(JSON.stringify(await world.aliasOf(scope, model.name))).not.toContain('none left')

    world.armServer.fault = () => undefined
    await world.clock.advance(6 * 60_000)
    const again = await begin(scope, model, 'wake')
    expect(await world.walk(again ?? '', passing)).toEqual({ kind: 'done' })
    expect(await world.aliasOf(scope, model.name)).not.toHaveProperty('asleep')
  })

  it('of a tenant that goes is not woken', async () => {
    const { scope, model } = await deployedModel()
    await putToSleep(scope, model)
    const operation = await begin(scope, model, 'wake')
    await world.tenants.transition(scope, 'begin-offboarding')
    await world.walk(operation ?? '', passing)
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'asleep' })
    expect(world.deploymentIds()).toEqual([])
  })

  it('that is awake, while the record says that it sleeps, is said to be awake', async () => {
    const { scope, model } = await deployedModel()
    const backendId = `bke_${model.id.slice(4)}` as const
    await world.tenants.setAsleep(scope, backendId, { backendId, modelId: model.id, sinceMs: 0, wakeMs: 1_000 })
    expect(await world.aliasOf(scope, model.name)).toHaveProperty('asleep')
    await begin(scope, model, 'wake')
    expect(await world.aliasOf(scope, model.name)).not.toHaveProperty('asleep')
  })

  it('for good is nobody’s: undeployed while it sleeps it has no alias and no rest in the record', async () => {
    const { scope, model } = await deployedModel()
    await putToSleep(scope, model)
    expect(await world.deployments.remove(scope, model.id, { kind: 'removed', by: 'test' })).toEqual({
      kind: 'removed',
    })
    expect(await stateOf(scope, model)).toEqual({ kind: 'none' })
    const record = await world.tenants.get(scope)
    expect(record?.asleep).toBeUndefined()
    expect(record?.aliases.map(({ name }) => name)).toEqual(['chat'])
  })
})

describe('the answer of another alias while a model sleeps', () => {
  it('is of an alias of the same model that the tenant has named, and of no other', async () => {
    const { scope, model } = await deployedModel()
    const set = (answeredBy: string) =>
      world.tenants.patch(
        scope,
        { settings: { tunedModels: { whileAsleep: [{ alias: model.name, answeredBy }] } } },
        () => true,
      )
    expect(await set('nobody')).toMatchObject({ code: 'invalid_request' })
    expect(await set(model.name)).toMatchObject({ code: 'invalid_request' })
    expect(await set('chat')).toMatchObject({ settings: { tunedModels: expect.anything() } })
    await putToSleep(scope, model)
    expect(await world.aliasOf(scope, model.name)).toMatchObject({ asleep: { answeredBy: 'chat' } })
  })
})

describe('the look after models', () => {
  it('puts what is idle to sleep, and nothing that was called', async () => {
    const [idle, busy] = [await deployedModel(), await deployedModel()]
    const asked = async () => {
      const queue = world.storage.queue('hosting')
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 10, visibilityTimeout: 1 })
      for (const { messageId, popReceipt } of receivedMessageItems) await queue.deleteMessage(messageId, popReceipt)
      return receivedMessageItems.map(({ messageText }) => JSON.parse(Buffer.from(messageText, 'base64').toString()))
    }
    await world.clock.advance(IDLE_MS / 2)
    await world.hosting.lookAfter()
    expect(await asked()).toEqual([])
    await world.clock.advance(IDLE_MS)
    world.sayUses([{ alias: 'x', backend: `bke_${busy.model.id.slice(4)}`, calls: 1, unsettled: 0 }])
    await world.hosting.lookAfter()
    expect(await asked()).toEqual([{ tenantId: idle.scope.tenantId, modelId: idle.model.id, want: 'sleep' }])
    // Of an hour there is one look, however often the timer runs.
    expect(await world.hosting.lookAfter()).toBe(0)
  })

  it('notices what Azure has taken down by itself: the next call wakes it, and it is not paid for since', async () => {
    const { scope, model } = await deployedModel()
    await world.clock.advance(HOUR_MS)
    await world.hosting.lookAfter()
    await world.clock.advance(HOUR_MS)
    const [id = ''] = world.deploymentIds()
    await world.arm.remove(id, '2024-10-01')
    await world.hosting.lookAfter()
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'asleep' })
    expect((await world.registry.get(scope, model.id))?.history.at(-1)).toMatchObject({
      kind: 'asleep',
      detail: 'Azure has taken the deployment down.',
    })
    expect(await world.aliasOf(scope, model.name)).toHaveProperty('asleep')
    expect(await world.backends.read(`bke_${model.id.slice(4)}`)).toBeUndefined()
    const span = { from: new Date(world.clock.now() - 5 * HOUR_MS).toISOString() }
    expect((await world.usage(scope, span)).totals.costMicroUsd).toBe(1_700_000)
    const operation = await begin(scope, model, 'wake')
    expect(await world.walk(operation ?? '', passing)).toEqual({ kind: 'done' })
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'deployed' })
  })

  it('looks at the developer tier when its 24 hours are over, not an hour later', async () => {
    const { scope } = await world.newTenant()
    const model = await world.newModel(scope)
    await world.clock.advance(HOUR_MS / 2)
    await world.deployed(scope, model.id, { sku: 'DeveloperTier', capacity: 1 })
    world.sayUses([{ alias: 'x', backend: `bke_${model.id.slice(4)}`, calls: 1, unsettled: 0 }])
    await world.clock.advance(23.6 * HOUR_MS)
    await world.hosting.lookAfter()
    const [id = ''] = world.deploymentIds()
    await world.arm.remove(id, '2024-10-01')
    await world.clock.advance(0.4 * HOUR_MS)
    await world.hosting.lookAfter()
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'asleep' })
  })

  it('looks again soon where Azure did not answer, or the note of it broke off', async () => {
    const { scope, model } = await deployedModel()
    await world.clock.advance(HOUR_MS)
    const [id = ''] = world.deploymentIds()
    await world.arm.remove(id, '2024-10-01')
    world.armServer.fault = () => ({ status: 503, body: { error: { code: 'ServerBusy', message: 'later' } } })
    expect(await world.hosting.lookAfter()).toBe(1)
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'deployed' })
    world.armServer.fault = () => undefined
    await world.deployments.leave(scope, model.id, { kind: 'asleep', by: 'killed here' })
    await world.hosting.lookAfter()
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'asleep' })
    expect(await world.hosting.lookAfter()).toBe(0)
  })

  it('ends a removal that broke off for good', async () => {
    const { scope, model } = await deployedModel()
    await world.deployments.leave(scope, model.id, { kind: 'asleep', by: 'test', drainMs: DRAIN_MS })
    await world.clock.advance(9 * HOUR_MS)
    await world.hosting.lookAfter()
    await world.clock.advance(HOUR_MS)
    await world.hosting.lookAfter()
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'asleep' })
    expect(world.deploymentIds()).toEqual([])
  })

  it('keeps what is led to by many tenants: it does not sleep, and is made again where Azure took it down', async () => {
    const { scope } = await world.newTenant({}, platformOwnerId(world.ids.tenantId().slice('ten_'.length)))
    const other = world.ids.tenantId()
    const model = await world.newModel(scope)
    await world.deployed(scope, model.id)
    const backendId = `bke_${model.id.slice(4)}` as const
    await world.backends.shareWith(backendId, [other])
    await world.clock.advance(2 * IDLE_MS)
    await world.hosting.lookAfter()
    expect(await world.storage.queue('hosting').peekMessages()).toMatchObject({ peekedMessageItems: [] })
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'deployed' })
    const [id = ''] = world.deploymentIds()
    await world.arm.remove(id, '2024-10-01')
    await world.clock.advance(HOUR_MS)
    for (let run = 0; run < 5; run++) await world.hosting.lookAfter()
    expect(await stateOf(scope, model)).toMatchObject({ kind: 'deployed' })
    expect(world.deploymentIds()).toHaveLength(1)
    expect((await world.backends.read(backendId))?.backend.sharedWith).toEqual([other])
    const span = { from: new Date(world.clock.now() - 9 * HOUR_MS).toISOString() }
    expect((await world.usage(scope, span)).totals.costMicroUsd).toBe(6 * 1_700_000)
  })

  it('goes on with the others where one cannot be looked after', async () => {
    const [broken, sound] = [await deployedModel(), await deployedModel()]
    await world.clock.advance(HOUR_MS)
    world.armServer.fault = ({ path }) =>
      path.includes(broken.model.id.slice(4)) ? { status: 200, body: 'no resource' } : undefined
    await world.hosting.lookAfter()
    const meterOf = async ({ scope, model }: typeof sound) => (await world.rows.get(scope, model.id))?.bookedMs ?? 0
    expect(await meterOf(sound)).toBe(world.clock.now())
  })
})

describe('a tenant whose models have deployments of their own', () => {
  it('has tuned models beside them, which nobody else can name', async () => {
    const deployment = { modelVersion: '2025-04-14', sku: 'Standard', capacity: 10 }
    const { scope, model } = await deployedModel({
      isolation: { models: 'own-deployment', data: 'logical' },
      aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [], deployment }],
    })
    const backendId = `bke_${model.id.slice(4)}` as const
    expect(await world.aliasOf(scope, model.name)).toMatchObject({ groups: [{ members: [{ backendId }] }] })
    expect((await world.backends.read(backendId))?.backend).toMatchObject({ ownerTenantId: scope.tenantId })
    expect(await world.tenants.patch(scope, { displayName: 'Other' }, () => true)).toMatchObject({
      displayName: 'Other',
    })
    const other = await world.newTenant()
    const groups = [{ members: [{ backendId, weight: 1 }] }]
    expect(await world.tenants.putAlias(other.scope, { name: 'stolen', model: 'gpt-4.1-mini', groups })).toMatchObject({
      code: 'invalid_request',
    })
    expect(
      await world.tenants.putAlias(other.scope, { name: model.name, model: 'gpt-4.1-mini', groups }),
    ).toMatchObject({
      code: 'invalid_request',
    })
  })
})
