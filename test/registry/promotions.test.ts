import { Problem } from '../../src/base/problem'
import { createPromotions, type PromotionsDeps } from '../../src/registry/promotions'
import { registryWorld } from './registry-world'

const MINUTE_MS = 60_000
const gradual = [
  { percent: 10, minutes: 5 },
  { percent: 50, minutes: 5 },
  { percent: 100, minutes: 0 },
]
const atOnce = [{ percent: 100, minutes: 0 }]

let world: Awaited<ReturnType<typeof registryWorld>>
beforeAll(async () => {
  world = await registryWorld()
})
beforeEach(() => world.say([]))

type Tenant = Awaited<ReturnType<typeof world.newTenant>>
type Model = Awaited<ReturnType<typeof world.newModel>>

const wishOf = (model: Model, more: object = {}) => ({
  modelId: model.id,
  alias: 'chat',
  steps: gradual,
  operationId: model.jobId,
  by: 'key_1',
  ...more,
})

/** Advances until it is over, moving the clock by what it asks to wait; the percent of the new backend after each step. */
async function walk({ scope }: Tenant, model: Model, promotions = world.promotions) {
  const percents: number[] = []
  for (let look = 0; look < 100; look++) {
    const advanced = await promotions.advance(scope, 'chat', model.jobId)
    const [group] = (await world.groupsOf(scope)) ?? []
    const own = group?.members.find(({ backendId }) => backendId === model.backendId)
    const percent = group?.members.length === 1 && own ? 100 : (own?.weight ?? 0)
    if (percents.at(-1) !== percent) percents.push(percent)
    if (advanced.kind !== 'not-yet') return { percents, advanced }
    await world.clock.advance(advanced.againAfterMs)
  }
  throw new Error('the promotion does not end')
}

const only = (backendId: string) => [{ members: [{ backendId, weight: 1 }] }]

describe('a promotion', () => {
  it('leads the alias to the model by rising shares, each for its time, and is noted once', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.promotions.begin(tenant.scope, wishOf(model))
    const beganMs = world.clock.now()
    expect(await walk(tenant, model)).toEqual({ percents: [10, 50, 100], advanced: { kind: 'led' } })
    expect(world.clock.now() - beganMs).toBeGreaterThanOrEqual(10 * MINUTE_MS)
    await world.promotions.begin(tenant.scope, wishOf(model))
    const { promotions } = (await world.registry.get(tenant.scope, model.id)) ?? {}
    expect(promotions).toEqual([
      {
        alias: 'chat',
        before: [{ backendId: tenant.base, weight: 1 }],
        after: [{ backendId: model.backendId, weight: 1 }],
        atMs: beganMs,
        by: 'key_1',
      },
    ])
  })

  it('leads the alias back by itself where the new backend fails its calls, and says why', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.promotions.begin(tenant.scope, wishOf(model, { rollBackOn: { errorRate: 0.05 } }))
    world.say([
      { backendId: model.backendId, calls: 100, failed: 40, latencyMs: 0 },
      { backendId: tenant.base, calls: 900, failed: 0, latencyMs: 0 },
    ])
    const { percents, advanced } = await walk(tenant, model)
    expect(percents).toEqual([10, 0])
    expect(advanced).toMatchObject({ kind: 'returned', why: expect.stringContaining('40.0 % failed') })
    expect(await world.groupsOf(tenant.scope)).toEqual(only(tenant.base))
    expect(await walk(tenant, model)).toEqual({ percents: [0], advanced })
  })

  it('of one alias, asked for twice at once, is begun by one of the two', async () => {
    const tenant = await world.newTenant()
    const models = await Promise.all([world.newModel(tenant.scope), world.newModel(tenant.scope)])
    const begun = await Promise.all(models.map((model) => world.promotions.begin(tenant.scope, wishOf(model))))
    expect(begun.filter((each) => each instanceof Problem).map(({ code }) => code)).toEqual(['conflict'])
    const winner = models.find((_, index) => !(begun[index] instanceof Problem))
    expect(winner && (await walk(tenant, winner)).percents.at(-1)).toBe(100)
  })

  it('of a tenant that is being offboarded is over, so that nothing waits for it', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.promotions.begin(tenant.scope, wishOf(model))
    for (const event of ['activate', 'begin-offboarding'] as const)
      expect(await world.tenants.transition(tenant.scope, event)).not.toBeInstanceOf(Problem)
    expect((await walk(tenant, model)).advanced).toMatchObject({ kind: 'returned' })
    expect(await world.groupsOf(tenant.scope)).toEqual(only(tenant.base))
  })

  it('leaves an alias alone that somebody else has changed meanwhile', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.promotions.begin(tenant.scope, wishOf(model))
    await world.promotions.advance(tenant.scope, 'chat', model.jobId)
    await world.tenants.setRoutes(tenant.scope, { chat: only('bke_elsewhere') as never })
    expect(await world.promotions.advance(tenant.scope, 'chat', model.jobId)).toMatchObject({ kind: 'returned' })
    expect(await world.groupsOf(tenant.scope)).toEqual(only('bke_elsewhere'))
  })

  it.each([
    ['a model of another tenant', 'not_found'],
    ['an alias that is not there', 'not_found'],
    ['an alias of another model', 'invalid_request'],
    ['shares beside provisioned throughput', 'invalid_request'],
    ['a model that is not deployed', 'conflict'],
  ])('is refused for %s', async (what, code) => {
    const tenant = await world.newTenant(what.includes('another model') ? 'gpt-4.1' : undefined)
    const stranger = await world.newTenant()
    const model = await world.newModel(what.includes('another tenant') ? stranger.scope : tenant.scope)
    if (what.includes('provisioned')) world.backends.set(tenant.base, { capacity: 'ptu' })
    if (what.includes('not deployed'))
      await world.registry.change(tenant.scope, model.id, (kept) => ({ ...kept, deployment: { kind: 'none' } }))
    const alias = what.includes('not there') ? 'other' : 'chat'
    const begun = await world.promotions.begin(tenant.scope, wishOf(model, { alias }))
    expect(begun instanceof Problem && begun.code).toBe(code)
    expect(await world.groupsOf(tenant.scope)).toEqual(only(tenant.base))
  })
})

describe('rolling back', () => {
  it('restores exactly what the alias was, one promotion after the other', async () => {
    const tenant = await world.newTenant()
    const [first, second] = [await world.newModel(tenant.scope), await world.newModel(tenant.scope)]
    for (const model of [first, second]) {
      await world.promotions.begin(tenant.scope, wishOf(model, { steps: atOnce }))
      expect((await walk(tenant, model)).percents).toEqual([100])
    }
    const by = { by: 'key_1', why: 'worse' }
    const early = await world.promotions.rollBack(tenant.scope, first.id, by)
    expect(early instanceof Problem && early.code).toBe('conflict')
    await world.promotions.rollBack(tenant.scope, second.id, by)
    expect(await world.groupsOf(tenant.scope)).toEqual(only(first.backendId))
    await world.promotions.rollBack(tenant.scope, first.id, by)
    expect(await world.groupsOf(tenant.scope)).toEqual(only(tenant.base))
  })

  it('in the middle of a gradual promotion ends it', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.promotions.begin(tenant.scope, wishOf(model))
    await world.promotions.advance(tenant.scope, 'chat', model.jobId)
    await world.promotions.rollBack(tenant.scope, model.id, { by: 'key_1', why: 'not now' })
    expect(await walk(tenant, model)).toEqual({ percents: [0], advanced: { kind: 'returned', why: 'not now' } })
  })

  it('is a conflict where the alias was changed since, and changes nothing', async () => {
    const tenant = await world.newTenant()
    const model = await world.newModel(tenant.scope)
    await world.promotions.begin(tenant.scope, wishOf(model, { steps: atOnce }))
    await walk(tenant, model)
    await world.tenants.setRoutes(tenant.scope, { chat: only('bke_elsewhere') as never })
    const back = await world.promotions.rollBack(tenant.scope, model.id, { by: 'key_1', why: 'worse' })
    expect(back instanceof Problem && back.code).toBe('conflict')
    expect(await world.groupsOf(tenant.scope)).toEqual(only('bke_elsewhere'))
  })
})

/** Dies at the `at`-th write, before or after storage has taken it. */
function dying(at: number, when: 'before' | 'after'): { deps: PromotionsDeps; died: () => boolean } {
  let writes = 0
  const killing =
    <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const isDeath = ++writes === at
      if (isDeath && when === 'before') throw new Error('killed')
      const result = await write(...args)
      if (isDeath) throw new Error('killed')
      return result
    }
  const { records, registry, tenants } = world.deps
  const deps = {
    ...world.deps,
    records: { ...records, putIfAbsent: killing(records.putIfAbsent), replace: killing(records.replace) },
    registry: { ...registry, change: killing(registry.change) },
    tenants: { ...tenants, leadAlias: killing(tenants.leadAlias) },
  }
  return { deps, died: () => writes >= at }
}

describe('a promotion whose process dies at any of its writes', () => {
  it.each(['before', 'after'] as const)('is begun once and ends as it would have (%s the write)', async (when) => {
    for (let at = 1; ; at++) {
      const tenant = await world.newTenant()
      const model = await world.newModel(tenant.scope)
      const { deps, died } = dying(at, when)
      const mortal = createPromotions(deps)
      const run = async (promotions: typeof mortal) => {
        await promotions.begin(tenant.scope, wishOf(model))
        return walk(tenant, model, promotions)
      }
      const { advanced } = await run(mortal).catch(() => run(world.promotions))
      expect(advanced).toEqual({ kind: 'led' })
      expect(await world.groupsOf(tenant.scope)).toEqual(only(model.backendId))
      expect((await world.registry.get(tenant.scope, model.id))?.promotions).toHaveLength(1)
      if (!died()) return expect(at).toBeGreaterThan(6)
    }
  })

  it.each(['before', 'after'] as const)('while it leads back has led back in the end (%s the write)', async (when) => {
    for (let at = 1; ; at++) {
      const tenant = await world.newTenant()
      const model = await world.newModel(tenant.scope)
      await world.promotions.begin(tenant.scope, wishOf(model, { rollBackOn: { errorRate: 0 } }))
      world.say([{ backendId: model.backendId, calls: 100, failed: 40, latencyMs: 0 }])
      const { deps, died } = dying(at, when)
      const { advanced } = await walk(tenant, model, createPromotions(deps)).catch(() => walk(tenant, model))
      expect(advanced).toMatchObject({ kind: 'returned' })
      expect(await world.groupsOf(tenant.scope)).toEqual(only(tenant.base))
      if (!died()) return expect(at).toBeGreaterThan(3)
    }
  })
})
