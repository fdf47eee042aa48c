import fc from 'fast-check'
import { TRIES_MAX } from '../../src/fairness/group-queue'
import { CALM_MS } from '../../src/fairness/pace'
import { WAIT_MS_MAX } from '../../src/fairness/queue-bounds'
import { departureBy } from '../harness/departure'
import { inOrder, refusalOf, street, turnOf } from './queue'

/** 100 tokens went out every 100 ms for 10 s; then a call was refused twice, so that the pace is 85 % of that and no guess. */
async function learned(bounds = {}) {
  const place = street(bounds)
  for (let i = 0; i < 100; i++) {
    place.go().release(100)
    await place.clock.advance(100)
  }
  const refused = place.go().again({ kind: 'throttled', waitMs: 50 })
  await place.clock.advance(50)
  const { watch, ...seen } = inOrder()
  watch('first', turnOf(await refused).again({ kind: 'throttled', waitMs: 100 }))
  return { ...place, ...seen, watch }
}

describe('while nothing says that the backends are at capacity', () => {
  it('a call has its turn at once, without a promise, however many are under way', () => {
    const { go, queue } = street()
    const turns = Array.from({ length: 1_000 }, () => go())
    expect(queue.waiting).toBe(0)
    for (const turn of turns) turn.release(100)
  })

  it('calls above what the connections of one origin bear stand in line, and go as others end', async () => {
    const { go, take, queue } = street({ callsUnderWayMax: 2 })
    const [one, two] = [go(), go()]
    const third = take()
    expect(queue.waiting).toBe(1)
    one.release(100)
    turnOf(await third).release(100)
    two.release(100)
    expect(queue.waiting).toBe(0)
  })
})

describe('when the backends refuse', () => {
  it('a refused call waits as long as they ask, and goes then', async () => {
    const { clock, order, turns } = await learned()
    await clock.advance(99)
    expect(order).toEqual([])
    await clock.advance(2)
    expect(order).toEqual(['first'])
    turns[0]?.release(100)
  })

  it('later calls go at the rate that was measured, not all at once', async () => {
    const { clock, take, watch, order } = await learned()
    for (let i = 0; i < 20; i++) watch('later', take())
    await clock.advance(1_100)
    expect(order.length).toBeGreaterThanOrEqual(8)
    expect(order.length).toBeLessThanOrEqual(10)
  })

  it('after little traffic the rate is found quickly, since what was asked for says nothing of what there is', async () => {
    const { clock, go, take } = street()
    const { watch, order } = inOrder()
    watch('first', go().again({ kind: 'throttled', waitMs: 100 }))
    for (let i = 0; i < 8; i++) {
      for (let calls = 0; calls < 40; calls++) watch('later', take())
      await clock.advance(1_000)
    }
    expect(order.length).toBeGreaterThan(100)
  })

  it('the refused call keeps its place before those of its tenant that came after it', async () => {
    const { go, take, clock } = street()
    const { watch, order } = inOrder()
    const [one, two] = [go(), go()]
    watch('two', two.again({ kind: 'throttled', waitMs: 50 }))
    watch('three', take())
    watch('one', one.again({ kind: 'throttled', waitMs: 50 }))
    await clock.advance(9_000)
    expect(order).toEqual(['one', 'two', 'three'])
  })

  it('refusals of calls that were sent before the last change do not slow the rate once more', async () => {
    const gone = async (calls: number) => {
      const { go, take, clock } = street()
      const { watch, order } = inOrder()
      for (let i = 0; i < 100; i++) {
        go().release(100)
        await clock.advance(100)
      }
      const sent = Array.from({ length: calls }, () => go())
      for (const turn of sent) watch('sent', turn.again({ kind: 'throttled', waitMs: 100 }))
      for (let i = 0; i < 60; i++) watch('later', take())
      await clock.advance(4_000)
      return order.length
    }
    expect(await gone(10)).toBeGreaterThanOrEqual(0.9 * (await gone(1)))
  })

  it('for longer than a call may wait, it and all who would wait in vain are told so at once, with that wait', async () => {
    const { go, take } = street()
    const far = go()
    expect(refusalOf(far.again({ kind: 'throttled', waitMs: 30_000 }))).toMatchObject({
      why: 'resting',
      retryAfterMs: 30_000,
    })
    expect(refusalOf(take())).toMatchObject({ why: 'resting', retryAfterMs: 30_000 })
    far.release(0)
  })

  it('those who wait already are told when a rest grows beyond their deadline', async () => {
    const { go, take, refusals, watch } = { ...street(), ...inOrder() }
    const [one, two] = [go(), go()]
    watch('one', one.again({ kind: 'resting', waitMs: 1_000 }))
    watch('three', take())
    expect(refusalOf(two.again({ kind: 'throttled', waitMs: 20_000 })).why).toBe('resting')
    await Promise.resolve()
    await Promise.resolve()
    expect(refusals.map(({ why, retryAfterMs }) => [why, retryAfterMs])).toEqual([
      ['resting', 20_000],
      ['resting', 20_000],
    ])
  })

  it('a rest that may be of one tenant alone holds up nobody else, and earns its tenant no credit', async () => {
    const { go, take, clock } = street({ callsUnderWayMax: 1 })
    const { watch, order, turns } = inOrder()
    const own = go()
    watch('own', own.again({ kind: 'resting', waitMs: 2_000 }))
    for (let i = 0; i < 20; i++) watch('other', take({ tenantId: 'ten_b' }))
    watch('own', take())
    for (let i = 0; i < 10; i++) {
      await clock.advance(100)
      turns.at(-1)?.release(100)
    }
    expect(new Set(order)).toEqual(new Set(['other']))
    await clock.advance(1_000)
    const before = order.length
    for (let i = 0; i < 4; i++) {
      turns.at(-1)?.release(100)
      await clock.advance(100)
    }
    expect(order.slice(before).filter((name) => name === 'own')).toHaveLength(2)
  })

  it('a wait that means one call only (a day, for one larger than a quota) keeps nobody else waiting', () => {
    const { go } = street()
    const large = go()
    expect(refusalOf(large.again({ kind: 'throttled', waitMs: 86_400_000 })).why).toBe('resting')
    large.release(0)
    go().release(100)
  })

  it('one call is sent so many times and no more', async () => {
    const { go, clock } = street()
    let turn = go()
    for (let tries = 1; tries < TRIES_MAX; tries++) {
      const again = turn.again({ kind: 'throttled', waitMs: 20 })
      await clock.advance(1_500)
      turn = turnOf(await again)
    }
    expect(refusalOf(turn.again({ kind: 'throttled', waitMs: 20 })).why).toBe('too-long')
    turn.release(0)
  })

  it('what was learned is forgotten when nothing was refused and nobody waited for a while', async () => {
    const { clock, go, turns } = await learned()
    await clock.advance(1_000)
    for (const turn of turns) turn.release(100)
    await clock.advance(CALM_MS + 1)
    const burst = Array.from({ length: 50 }, () => go())
    for (const turn of burst) turn.release(100)
  })
})

describe('a line', () => {
  it('lets who was idle in before those who use more than their share', async () => {
    const { clock, take, watch, order } = await learned()
    for (let i = 0; i < 50; i++) watch('flood', take())
    await clock.advance(1_000)
    const before = order.length
    watch('other', take({ tenantId: 'ten_b' }))
    await clock.advance(300)
    expect(order.slice(before, before + 2)).toContain('other')
  })

  it('gives who was idle no credit: from then on it gets its share and no more', async () => {
    const { clock, take, watch, order } = await learned()
    for (let i = 0; i < 80; i++) watch('flood', take())
    await clock.advance(4_000)
    const before = order.length
    for (let i = 0; i < 80; i++) watch('other', take({ tenantId: 'ten_b' }))
    await clock.advance(3_000)
    const others = order.slice(before).filter((name) => name === 'other').length
    expect(Math.abs(2 * others - (order.length - before))).toBeLessThanOrEqual(2)
  })

  it('counts tokens, not calls: ten small calls go for each that is ten times as large', async () => {
    const { clock, take, watch, order, turns } = await learned()
    for (let i = 0; i < 100; i++) watch('small', take({ tenantId: 'ten_b', tokens: 20 }))
    for (let i = 0; i < 20; i++) watch('large', take({ tenantId: 'ten_c', tokens: 200 }))
    await clock.advance(4_000)
    const small = order.filter((name) => name === 'small').length
    const large = order.filter((name) => name === 'large').length
    expect(small / large).toBeGreaterThan(8)
    expect(small / large).toBeLessThan(12)
    for (const turn of turns) turn.release(100)
  })

  it('charges what was really used when a call ends', async () => {
    const { clock, take, watch, order } = await learned()
    // Both ask for 100, one uses five times as much.
    const hungry = { tenantId: 'ten_b', tokens: 100 } as const
    for (let i = 0; i < 60; i++) {
      void Promise.resolve(take(hungry)).then((result) => {
        if (result.kind !== 'turn') return
        order.push('hungry')
        result.release(500)
      })
      void Promise.resolve(take({ tenantId: 'ten_c' })).then((result) => {
        if (result.kind !== 'turn') return
        order.push('modest')
        result.release(100)
      })
    }
    await clock.advance(5_000)
    const hungryCalls = order.filter((name) => name === 'hungry').length
    const modestCalls = order.filter((name) => name === 'modest').length
    expect(modestCalls / hungryCalls).toBeGreaterThan(3.5)
    watch('end', take())
  })

  it('follows a weight that changes while calls wait', async () => {
    const { clock, take, watch, order } = await learned()
    for (let i = 0; i < 60; i++) {
      watch('a', take({ tenantId: 'ten_b' }))
      watch('b', take({ tenantId: 'ten_c' }))
    }
    await clock.advance(2_000)
    watch('b', take({ tenantId: 'ten_c', weight: 0.25 }))
    const before = order.length
    await clock.advance(4_000)
    const after = order.slice(before)
    const [a, b] = [after.filter((name) => name === 'a').length, after.filter((name) => name === 'b').length]
    expect(a / b).toBeGreaterThan(3)
  })
})

describe('a wait', () => {
  it('ends by its bound, with the wait that the rate says', async () => {
    const { clock, take, refusals, watch } = await learned()
    // More at once than the line lets out in the bound of a wait, so one is refused as it comes.
    for (let i = 0; i < 85; i++) watch('later', take())
    const refused = take({ tokens: 100 })
    expect(refusalOf(refused)).toMatchObject({ why: 'too-long' })
    expect(refusalOf(refused).retryAfterMs).toBeGreaterThan(WAIT_MS_MAX)
    expect(refusalOf(refused).retryAfterMs).toBeLessThan(1.3 * WAIT_MS_MAX)
    await clock.advance(WAIT_MS_MAX)
    expect(refusals.length).toBeLessThan(20)
    await clock.advance(1)
  })

  it('is never begun by more calls of one tenant, or in all, than their bounds', () => {
    const { go, take, queue } = street({ waitingMax: 6, waitingPerTenantMax: 4, callsUnderWayMax: 1 })
    const first = go()
    for (let i = 0; i < 4; i++) expect(take()).toBeInstanceOf(Promise)
    expect(refusalOf(take()).why).toBe('line-full')
    for (let i = 0; i < 2; i++) expect(take({ tenantId: 'ten_b' })).toBeInstanceOf(Promise)
    expect(queue.waiting).toBe(6)
    first.release(1)
  })

  it('in a full line is taken from whoever has the longest one, for who has none', async () => {
    const { go, take, queue } = street({ waitingMax: 4, waitingPerTenantMax: 4, callsUnderWayMax: 1 })
    const { watch, refusals } = inOrder()
    const first = go()
    for (let i = 0; i < 4; i++) watch('flood', take())
    const other = take({ tenantId: 'ten_b' })
    expect(other).toBeInstanceOf(Promise)
    await Promise.resolve()
    await Promise.resolve()
    expect(refusals.map(({ why }) => why)).toEqual(['line-full'])
    expect(queue.waiting).toBe(4)
    first.release(1)
  })

  it('is left by all when the instance stops, and nobody waits in it any more', async () => {
    const { queue, take, go } = street({ callsUnderWayMax: 1 })
    go()
    const waiting = [take(), take()]
    expect(queue.waiting).toBe(2)
    queue.close()
    const later = take({ tenantId: 'ten_later' })
    for (const one of [...waiting, later]) expect(refusalOf(await one).why).toBe('stopping')
    expect(queue.waiting).toBe(0)
  })

  it('is left by a call whose client has gone', async () => {
    const { go, take, queue } = street({ callsUnderWayMax: 1 })
    const first = go()
    const client = new AbortController()
    const waiting = take({ gone: departureBy(client.signal) })
    client.abort()
    expect(refusalOf(await waiting).why).toBe('client-gone')
    expect(queue.waiting).toBe(0)
    first.release(1)
    const gone = take({ gone: departureBy(AbortSignal.abort()) })
    turnOf(gone).release(1)
  })
})

describe('a turn', () => {
  it('is released once: a second time is a defect that shows', () => {
    const { go } = street()
    const turn = go()
    turn.release(1)
    expect(() => turn.release(1)).toThrow('a turn is released once')
  })

  it('frees its place whatever happened before: every order of events leaves nobody under way and nobody waiting', async () => {
    const events = fc.array(
      fc.record({
        tenant: fc.constantFrom('ten_a', 'ten_b', 'ten_c'),
        tokens: fc.integer({ min: 1, max: 5_000 }),
        tries: fc.array(fc.constantFrom('throttled', 'resting'), { maxLength: 3 }),
        waitMs: fc.integer({ min: 0, max: 15_000 }),
        pauseMs: fc.integer({ min: 0, max: 400 }),
        used: fc.integer({ min: 0, max: 10_000 }),
        leaves: fc.boolean(),
      }),
      { minLength: 1, maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(events, async (events) => {
        const { clock, take, queue } = street({ waitingMax: 8, waitingPerTenantMax: 4, callsUnderWayMax: 3 })
        let open = 0
        const waitedMs: number[] = []
        const run = async ({ tenant, tokens, tries, waitMs, used, leaves }: (typeof events)[number]) => {
          const client = new AbortController()
          if (leaves) clock.after(waitMs / 2, () => client.abort())
          const cameMs = clock.monotonicMs()
          let result = await take({ tenantId: tenant, tokens, gone: departureBy(client.signal) })
          if (result.kind === 'refused') return void waitedMs.push(clock.monotonicMs() - cameMs)
          open += 1
          const turn = result
          for (const kind of tries) {
            result = await turn.again({ kind, waitMs })
            if (result.kind === 'refused') break
          }
          waitedMs.push(clock.monotonicMs() - cameMs)
          await clock.sleep(result.kind === 'turn' ? 50 : 0)
          turn.release(used)
          open -= 1
        }
        const calls: Promise<void>[] = []
        for (const event of events) {
          calls.push(run(event))
          expect(queue.waiting).toBeLessThanOrEqual(8 + 3)
          await clock.advance(event.pauseMs)
        }
        await clock.advance(60_000)
        await Promise.all(calls)
        expect([open, queue.waiting]).toEqual([0, 0])
        expect(Math.max(...waitedMs)).toBeLessThanOrEqual(WAIT_MS_MAX)
        // Nothing is left that holds a later call up.
        await clock.advance(CALM_MS + 1)
        for (let i = 0; i < 3; i++) turnOf(take()).release(1)
      }),
      { numRuns: 60 },
    )
  })
})
