import { createShowReconciliation } from '../../src/reconciliation/reconciliation-view'
import { Problem } from '../../src/base/problem'
import {
  backendIn,
  counted,
  GROUP,
  HOUR_MS,
  reconciliationWorld,
  START_MS,
  type ReconciliationWorld,
} from './reconciliation-world'

let world: ReconciliationWorld
beforeEach(async () => {
  world = await reconciliationWorld()
})
afterEach(() => world.close())

const chat = backendIn(1, 'east', 'chat')
const embed = backendIn(2, 'west', 'embed')
const DRIFT = 'usage-drift/east/chat'
const UNREADABLE = 'usage-unreadable/east'

/** Until the first look at the hour that begins so long after the start. */
const untilFirst = (hour: number) => world.clock.jump(START_MS + (hour + 2) * HOUR_MS - world.clock.now())
const untilFinal = (hour: number) => world.clock.jump(START_MS + (hour + 26) * HOUR_MS - world.clock.now())
/** Hours in which both sides count the same at `chat`. */
function agreeing(from: number, to: number, requests = 100): void {
  for (let hour = from; hour < to; hour++) {
    world.weCounted(hour, [[chat, counted(requests)]])
    world.theyCounted(hour, 'east', { Chat: counted(requests) })
  }
}

it('both sides alike give a row without parts and no alert, and an hour is first looked at an hour after its end', async () => {
  world.backends.push(chat)
  agreeing(0, 1)
  const run = world.newTimer()
  await world.clock.jump(2 * HOUR_MS - 1)
  await run()
  expect((await world.rows()).map(({ hourMs }) => hourMs)).not.toContain(START_MS)
  await world.clock.jump(1)
  expect(await run()).toBe(1)
  expect(await world.rows()).toMatchObject([
    {
      hourMs: START_MS,
      accountId: `${GROUP}/east`,
      deployment: 'chat',
      look: 'first',
      theirs: counted(100),
      ours: { counted: counted(100) },
      parts: [],
    },
  ])
  expect(await world.alert(DRIFT)).toBeUndefined()
})

it('calls past the platform raise an alert, which is over when the hours that it is judged by agree', async () => {
  world.backends.push(chat)
  agreeing(0, 2)
  agreeing(47, 52)
  world.theyCounted(1, 'east', { chat: counted(104) })
  const run = world.newTimer()
  await untilFirst(0)
  await run()
  await untilFirst(1)
  await run()
  expect(await world.rows({ drifted: true })).toMatchObject([
    { hourMs: START_MS + HOUR_MS, drift: counted(4), parts: [{ class: 'unknown-here', part: counted(4) }] },
  ])
  expect(await world.alerts.get(DRIFT)).toMatchObject({
    state: 'open',
    kind: 'usage-drift',
    evidence: { deployment: 'chat', unexplained: counted(4) },
  })
  await untilFirst(47)
  await run()
  expect(await world.alert(DRIFT)).toBe('open')
  await untilFirst(51)
  await run()
  expect(await world.alert(DRIFT)).toBe('resolved')
})

it('an alert of a deployment that is gone is over, and one of a deployment that is there stays', async () => {
  world.backends.push(chat, backendIn(2, 'east', 'search'))
  agreeing(0, 4)
  world.theyCounted(1, 'east', { chat: counted(150), search: counted(50) })
  const run = world.newTimer()
  await untilFirst(1)
  await run()
  const ofSearch = DRIFT.replace('chat', 'search')
  expect(await Promise.all([DRIFT, ofSearch].map((id) => world.alert(id)))).toEqual(['open', 'open'])
  world.backends.shift()
  await untilFirst(2)
  await run()
  expect(await Promise.all([DRIFT, ofSearch].map((id) => world.alert(id)))).toEqual(['resolved', 'open'])
})

it('what our own log says may account for a difference raises no alert', async () => {
  world.backends.push(chat)
  world.weCounted(0, [[chat, counted(10), { unsettledCalls: 3 }]])
  world.theyCounted(0, 'east', { chat: counted(13) })
  await untilFirst(0)
  await world.newTimer()()
  expect(await world.rows()).toMatchObject([{ parts: [{ class: 'unsettled', part: counted(3) }] }])
  expect(await world.alert(DRIFT)).toBeUndefined()
})

it('a call that ends in the next hour raises no alert', async () => {
  world.backends.push(chat)
  for (const hour of [0, 1]) world.weCounted(hour, [[chat, counted(10)]])
  world.theyCounted(0, 'east', { chat: counted(9, 500, 250) })
  world.theyCounted(1, 'east', { chat: counted(11, 1_500, 750) })
  const run = world.newTimer()
  await untilFirst(0)
  await run()
  await untilFirst(1)
  await run()
  expect((await world.rows()).map(({ drift }) => drift.requests)).toEqual([-1, 1])
  expect(await world.alert(DRIFT)).toBeUndefined()
})

it('the final look takes the place of the first, with what came late', async () => {
  world.backends.push(chat)
  world.weCounted(0, [[chat, counted(10)]])
  world.theyCounted(0, 'east', { chat: counted(7) })
  const run = world.newTimer()
  await untilFirst(0)
  await run()
  expect(await world.rows()).toMatchObject([{ look: 'first', drift: counted(-3) }])
  world.theyCounted(0, 'east', { chat: counted(10) })
  await untilFinal(0)
  await run()
  expect(await world.rows()).toMatchObject([{ look: 'final', drift: counted(0), parts: [] }])
})

it('whoever calls an account that the platform left alone is found by the final look', async () => {
  world.backends.push(chat)
  world.theyCounted(0, 'east', { chat: counted(5) })
  const run = world.newTimer()
  await untilFirst(0)
  await run()
  expect(await world.rows()).toEqual([])
  await untilFinal(0)
  await run()
  expect(await world.rows()).toMatchObject([{ look: 'final', drift: counted(5) }])
  expect(await world.alert(DRIFT)).toBe('open')
})

it('a deployment that serves batches is shown, and no longer judged by hours', async () => {
  world.backends.push(chat)
  world.theyCounted(0, 'east', { chat: counted(50) })
  world.weCounted(0, [[chat, counted(10)]])
  world.weCounted(1, [[chat, counted(40), { batched: counted(40) }]])
  world.theyCounted(2, 'east', { chat: counted(90) })
  world.weCounted(2, [[chat, counted(10)]])
  const run = world.newTimer()
  await untilFirst(0)
  await run()
  expect(await world.alert(DRIFT)).toBe('open')
  await untilFirst(1)
  await run()
  expect(await world.alert(DRIFT)).toBe('resolved')
  await untilFirst(2)
  await run()
  expect((await world.rows()).map(({ parts }) => parts.map((part) => part.class))).toEqual([
    ['unknown-here'],
    ['batch'],
    ['unknown-here'],
  ])
  expect(await world.alert(DRIFT)).toBe('resolved')
})

it('deployments that are no backends are shown, and raise no alert', async () => {
  world.backends.push(chat)
  world.weCounted(0, [[chat, counted(10)]])
  world.theyCounted(0, 'east', { chat: counted(10), 'somebody-elses': counted(500) })
  await untilFirst(0)
  await world.newTimer()()
  expect((await world.rows()).map(({ deployment }) => deployment)).toEqual(['chat', 'somebody-elses'])
  expect(await world.alert('usage-drift/east/somebody-elses')).toBeUndefined()
})

it('accounts that are compared at one time all count', async () => {
  const many = Array.from({ length: 9 }, (_, n) => backendIn(n, `account${n}`, 'chat'))
  world.backends.push(...many)
  world.weCounted(
    0,
    many.map((backend) => [backend, counted(1)] as const),
  )
  for (let n = 0; n < many.length; n++) world.theyCounted(0, `account${n}`, { chat: counted(1) })
  await untilFirst(0)
  expect(await world.newTimer()()).toBe(9)
  expect(await world.rows()).toHaveLength(9)
})

it('two backends on one deployment are compared together', async () => {
  const twin = backendIn(3, 'east', 'chat')
  world.backends.push(chat, twin)
  world.weCounted(0, [
    [chat, counted(10)],
    [twin, counted(20)],
  ])
  world.theyCounted(0, 'east', { chat: counted(30) })
  await untilFirst(0)
  await world.newTimer()()
  expect(await world.rows()).toMatchObject([{ drift: counted(0) }])
})

it('an account without a resource id is found by its address in a stamp, under whichever of Azure’s names', async () => {
  world.backends.push(backendIn(1, 'east', 'chat', { resourceId: undefined }))
  world.stampAccounts.push(`${GROUP}/east`)
  agreeing(0, 1)
  await untilFirst(0)
  await world.newTimer()()
  expect(await world.rows()).toMatchObject([{ accountId: `${GROUP}/east`, drift: counted(0) }])
})

describe('what cannot be compared', () => {
  it('for want of a right is said to operators once, and forgotten when it can be', async () => {
    world.backends.push(chat, embed)
    agreeing(0, 5)
    world.theyRefuse('east', 403)
    const run = world.newTimer()
    for (const hour of [0, 1, 2]) {
      await untilFirst(hour)
      await run()
    }
    expect(await world.alerts.get(UNREADABLE)).toMatchObject({
      state: 'open',
      timesSeen: 1,
      detail: expect.stringContaining('Monitoring Reader'),
    })
    expect(await world.store.gaps()).toMatchObject([{ kind: 'no-right', account: `${GROUP}/east` }])
    expect(await world.rows()).toEqual([])
    world.theyRefuse('east', undefined)
    await untilFirst(3)
    await run()
    expect(await world.alert(UNREADABLE)).toBe('resolved')
    expect(await world.store.gaps()).toEqual([])
    expect((await world.rows()).map(({ hourMs }) => hourMs)).toContain(START_MS + 3 * HOUR_MS)
  })

  it('for want of a resource id is said by its address, until a stamp names the account', async () => {
    world.backends.push(backendIn(1, 'east', 'chat', { resourceId: undefined }))
    agreeing(0, 2)
    const run = world.newTimer()
    await untilFirst(0)
    await run()
    const id = `usage-unreadable/${encodeURIComponent('https://east.openai.azure.com')}`
    expect(await world.alert(id)).toBe('open')
    expect(world.requests).toEqual([])
    world.stampAccounts.push(`${GROUP}/east`)
    await untilFirst(1)
    await run()
    expect(await world.alert(id)).toBe('resolved')
    expect(await world.rows()).toHaveLength(1)
  })

  it('because Azure is busy is nobody’s business, keeps no other account back, and is made good by the final look', async () => {
    world.backends.push(chat, embed)
    world.weCounted(0, [
      [chat, counted(10)],
      [embed, counted(10)],
    ])
    world.theyCounted(0, 'east', 429)
    world.theyCounted(0, 'west', { embed: counted(10) })
    const run = world.newTimer()
    await untilFirst(0)
    await run()
    expect((await world.rows()).map(({ deployment }) => deployment)).toEqual(['embed'])
    expect(await world.alert(UNREADABLE)).toBeUndefined()
    world.theyCounted(0, 'east', { chat: counted(10) })
    await untilFinal(0)
    await run()
    expect((await world.rows()).map(({ deployment }) => deployment)).toEqual(['chat', 'embed'])
    expect(await world.store.gaps()).toEqual([])
  })

  it('is neither a server that is no Azure OpenAI nor an account in a tenant’s own directory', async () => {
    world.backends.push(
      backendIn(1, 'east', 'chat', { api: { kind: 'openai-compatible' }, resourceId: undefined }),
      backendIn(2, 'west', 'chat', { directoryId: 'd', resourceId: undefined }),
    )
    await untilFinal(0)
    await world.newTimer()()
    expect(world.requests).toEqual([])
    expect(await world.store.gaps()).toEqual([])
  })
})

describe('the timer', () => {
  it('run twice, by two at once, or by another process says the same', async () => {
    world.backends.push(chat)
    agreeing(0, 3)
    world.theyCounted(1, 'east', { chat: counted(150) })
    await untilFirst(0)
    await world.newTimer()()
    await untilFirst(2)
    await Promise.all([world.newTimer()(), world.newTimer()()])
    const rows = await world.rows()
    await world.newTimer()()
    expect(await world.rows()).toEqual(rows)
    expect(rows.map(({ hourMs, drift }) => [hourMs - START_MS, drift.requests])).toEqual([
      [0, 0],
      [HOUR_MS, 50],
      [2 * HOUR_MS, 0],
    ])
  })

  it('does the hours that it missed, in order, in as many runs as it takes', async () => {
    world.backends.push(chat)
    agreeing(0, 1)
    agreeing(45, 55)
    await untilFirst(0)
    await world.newTimer()()
    await untilFirst(54)
    await world.newTimer()()
    const hours = async () => (await world.rows()).map(({ hourMs }) => (hourMs - START_MS) / HOUR_MS)
    expect(await hours()).toEqual([0, 45, 46, 47, 48])
    await world.newTimer()()
    expect(await hours()).toEqual([0, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54])
  })

  it('tries an hour again of which our own side could not be read, and nothing behind it', async () => {
    world.backends.push(chat)
    agreeing(0, 3)
    await untilFirst(0)
    const run = world.newTimer()
    await run()
    world.weCounted(1, new Error('storage is away'))
    await untilFirst(2)
    await run()
    expect(await world.rows()).toHaveLength(1)
    agreeing(1, 2)
    await run()
    expect(await world.rows()).toHaveLength(3)
  })
})

describe('what is shown', () => {
  it('comes page by page in order of time, each row once', async () => {
    world.backends.push(chat, embed)
    for (const hour of [0, 10, 11, 12, 13]) {
      world.weCounted(hour, [
        [chat, counted(10)],
        [embed, counted(5)],
      ])
      world.theyCounted(hour, 'east', { chat: counted(10) })
      world.theyCounted(hour, 'west', { embed: counted(hour === 11 ? 6 : 5) })
    }
    await untilFirst(0)
    await world.newTimer()()
    await untilFirst(13)
    await world.newTimer()()
    const show = createShowReconciliation({
      store: world.store,
      backends: { all: () => new Map(world.backends.map((backend) => [backend.id, backend])) },
      clock: world.clock,
    })
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await show({ after, limit: 3 })
      if (page instanceof Problem) throw new Error(page.public)
      seen.push(...page.rows.map(({ hour, deployment }) => `${hour} ${deployment}`))
      after = page.next
    } while (after !== undefined)
    expect(seen).toHaveLength(10)
    expect(new Set(seen).size).toBe(10)
    expect(seen.map((each) => each.slice(0, 13))).toEqual(seen.map((each) => each.slice(0, 13)).toSorted())
    expect(await show({ drifted: true, limit: 10 })).toMatchObject({
      rows: [{ deployment: 'embed', drift: counted(1), parts: [{ class: 'unknown-here', ...counted(1) }] }],
    })
    expect(
      await show({ from: START_MS + 12 * HOUR_MS, to: START_MS + 13 * HOUR_MS, deployment: 'chat', limit: 9 }),
    ).toMatchObject({
      rows: [{ hour: new Date(START_MS + 12 * HOUR_MS).toISOString(), account: `${GROUP}/east`, deployment: 'chat' }],
    })
  })

  it.each([
    [{ from: START_MS, to: START_MS }, /before "to"/],
    [{ from: START_MS - 32 * 24 * HOUR_MS, to: START_MS }, /at most 31 days/],
    [{ from: 0, to: HOUR_MS }, /further back/],
  ])('a span that cannot be is refused by its name: %j', async (span, message) => {
    const show = createShowReconciliation({
      store: world.store,
      backends: { all: () => new Map() },
      clock: world.clock,
    })
    const refused = await show({ ...span, limit: 1 })
    expect(refused).toBeInstanceOf(Problem)
    expect(refused).toMatchObject({ code: 'invalid_request', public: expect.stringMatching(message) })
  })
})

it('whole days that are kept long enough are removed, the oldest first, and counted before', async () => {
  world.backends.push(chat)
  agreeing(0, 1)
  agreeing(9, 14)
  await untilFirst(0)
  await world.newTimer()()
  await untilFirst(13)
  await world.newTimer()()
  const DAY_MS = 24 * HOUR_MS
  const cut = START_MS - 12 * HOUR_MS + DAY_MS
  expect(await world.store.countBefore(cut, 10)).toBe(4)
  expect(await world.store.removeBefore(cut - 1, 10)).toBe(0)
  expect(await world.store.removeBefore(cut, 10)).toBe(4)
  expect(await world.store.removeBefore(cut, 10)).toBe(0)
  expect((await world.rows())[0]?.hourMs).toBe(cut)
  const window = () => world.store.window(`${GROUP}/east`, 'chat')
  expect((await window()).hours).not.toEqual([])
  await world.store.removeBefore(cut + 3 * DAY_MS, 10)
  expect((await window()).hours).toEqual([])
})
