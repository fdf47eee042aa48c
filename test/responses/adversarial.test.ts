import { LATE_CLOSED_AFTER_MS } from '../../src/metering/late-usage'
import { RESPONSE_KEPT_MS } from '../../src/responses/response-record'
import { accountOf, responseWorld } from './response-world'

const HOUR = 3_600_000
/** At present, or storage would not take the signatures. */
const NOW = Math.floor(Date.now() / HOUR) * HOUR + 1_000

type World = Awaited<ReturnType<typeof responseWorld>>
const worlds: World[] = []
const worldOf = async (...args: Parameters<typeof responseWorld>) => {
  const world = await responseWorld(...args)
  worlds.push(world)
  return world
}
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()))
})

const counted = { calls: 1, promptTokens: 30, outputTokens: 12 }

describe('a response in the background counts once', () => {
  it('where many learn of its end at one time', async () => {
    const world = await worldOf(
      NOW,
      accountOf(() => 'completed'),
    )
    const scope = world.scope()
    const record = await world.begin(scope)
    const others = Array.from({ length: 4 }, () => world.process())
    await Promise.all([
      ...others.map(({ followUp }) => followUp()),
      ...others.map(({ held }) => held.ask(scope, record, { method: 'GET' })),
    ])
    expect(await world.usageOf(scope)).toMatchObject(counted)
    expect(await world.open.of(scope.tenantId)).toEqual([])
    expect(await world.store.item(scope, `msg_${record.upstreamId}`)).toMatchObject({ responseId: record.id })
  })

  it.each([
    ['before it is entered', false],
    ['after it is entered, and before that is noted', true],
  ])('where a process dies %s', async (_name, isEntered) => {
    const world = await worldOf(
      NOW,
      accountOf(() => 'completed'),
    )
    const scope = world.scope()
    await world.begin(scope)
    const dying = world.process({
      record: async (claim, entries) => {
        if (isEntered) await world.late.record(claim, entries)
        throw new Error('killed')
      },
    })
    expect(await dying.followUp()).toBe(0)
    world.clock.nowMs += 60_000
    expect(await world.process().followUp()).toBe(1)
    expect(await world.usageOf(scope)).toMatchObject(counted)
  })

  it('where its claim has become too old to be written under', async () => {
    const world = await worldOf(
      NOW,
      accountOf(() => 'completed'),
    )
    const scope = world.scope()
    await world.begin(scope)
    const dying = world.process({ record: () => Promise.reject(new Error('killed')) })
    await dying.followUp()
    world.clock.nowMs = NOW + HOUR + LATE_CLOSED_AFTER_MS + HOUR
    expect(await world.followUp()).toBe(1)
    expect(await world.usageOf(scope)).toMatchObject(counted)
  })

  it('by our count of its prompt where the account has lost it', async () => {
    const world = await worldOf(NOW, (response) => response.writeHead(404).end('{}'))
    const scope = world.scope()
    await world.begin(scope)
    await world.followUp()
    expect(await world.usageOf(scope)).toMatchObject({ calls: 1, promptTokens: 40, outputTokens: 0 })
  })

  it('by our count of its prompt where its time is over and its account never told', async () => {
    const world = await worldOf(
      NOW,
      accountOf(() => 'in_progress'),
    )
    const scope = world.scope()
    await world.begin(scope, { createdAt: NOW - RESPONSE_KEPT_MS, expiresAt: NOW - 1 })
    await world.followUp()
    expect(world.asked).toEqual([])
    expect(await world.usageOf(scope)).toMatchObject({ calls: 1, promptTokens: 40 })
  })
})

describe('the follow-up', () => {
  it('asks again each time while one runs, and looks after the others where an account does not answer', async () => {
    let status = 'in_progress'
    const world = await worldOf(NOW, (response, method, upstreamId) =>
      upstreamId.startsWith('sick')
        ? response.writeHead(503).end()
        : accountOf(() => status)(response, method, upstreamId),
    )
    const scope = world.scope()
    await world.begin(scope, { upstreamId: 'sick1' })
    await world.begin(scope)
    expect(await world.followUp()).toBe(0)
    status = 'completed'
    expect(await world.followUp()).toBe(1)
    expect(await world.usageOf(scope)).toMatchObject(counted)
    expect((await world.open.of(scope.tenantId)).length).toBe(1)
  })

  it('forgets one that has no row only when nobody can be about to write it', async () => {
    const world = await worldOf(
      NOW,
      accountOf(() => 'completed'),
    )
    const scope = world.scope()
    const record = await world.begin(scope)
    await world.store.remove(scope, record)
    await world.followUp()
    expect(await world.open.of(scope.tenantId)).toHaveLength(1)
    world.clock.nowMs += 10 * 60_000
    await world.followUp()
    expect(await world.open.of(scope.tenantId)).toHaveLength(0)
  })
})

describe('a tenant’s responses are removed', () => {
  it('at their accounts first, those that run called off and metered, and none while an account does not answer', async () => {
    let isSick = true
    const well = accountOf(() => 'in_progress')
    const world = await worldOf(NOW, (response, method, upstreamId) =>
      isSick && upstreamId === 'sick' ? response.writeHead(503).end() : well(response, method, upstreamId),
    )
    const [scope, other] = [world.scope(), world.scope()]
    await world.begin(scope, { upstreamId: 'sick', status: 'completed', metering: undefined })
    await world.begin(scope, { upstreamId: 'runs' })
    const kept = await world.begin(other)
    expect(await world.ofTenant.remove(scope)).toBe(false)
    expect(await world.ofTenant.census(scope)).toBeGreaterThan(0)
    isSick = false
    expect(await world.ofTenant.remove(scope)).toBe(true)
    expect(await world.ofTenant.census(scope)).toBe(0)
    expect(world.asked).toEqual(expect.arrayContaining(['POST runs/cancel', 'DELETE runs', 'DELETE sick']))
    expect(await world.usageOf(scope)).toMatchObject({ calls: 1, promptTokens: 40 })
    expect(await world.store.get(other, kept.id)).toBeDefined()
    expect(world.asked.join()).not.toContain(kept.upstreamId)
  })
})

describe('rows of a response', () => {
  it('hold more items than a transaction takes, and all of them go with it', async () => {
    const world = await worldOf(
      NOW,
      accountOf(() => 'completed'),
    )
    const scope = world.scope()
    const itemIds = Array.from({ length: 230 }, (_, at) => `msg_${at}`)
    const record = await world.begin(scope, { itemIds })
    for (const id of ['msg_0', 'msg_98', 'msg_99', 'msg_229']) expect(await world.store.item(scope, id)).toBeDefined()
    expect(await world.store.item(world.scope(), 'msg_0')).toBeUndefined()
    await world.store.remove(scope, record)
    for (const id of itemIds) expect(await world.store.item(scope, id)).toBeUndefined()
  })

  it('are kept under ids of the form that accounts give, and found by no others', async () => {
    const world = await worldOf(
      NOW,
      accountOf(() => 'completed'),
    )
    const scope = world.scope()
    await world.begin(scope, { itemIds: ['a/b', '', 'x'.repeat(300), 'msg_ok'] })
    expect(await world.store.item(scope, 'msg_ok')).toBeDefined()
    for (const id of ['a/b', '', 'x'.repeat(300), "' or '1' eq '1"])
      expect(await world.store.item(scope, id)).toBeUndefined()
  })
})
