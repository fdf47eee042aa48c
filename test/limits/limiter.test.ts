import { TenantScope } from '../../src/storage/tenant-scope'
import type { AdmissionRequest } from '../../src/limits/limiter'
import { admissionOf, call, drain, limits, refusalOf, street, type House } from './rows-on-azurite'

const operations = ({ operations: { reads, writes } }: House) => reads + writes
/** A second's cell, the window and the clock margin. */
const WINDOW_MS_MAX = 61_500

describe('admission', () => {
  it('waits for one write when cold, for one more when it is not alone, and for none while the lease lasts', async () => {
    const { open } = await street()
    const house = open()

    admissionOf(await house.limiter.admit(call())).settle(1_000)
    expect(house.operations).toEqual({ reads: 1, writes: 1 })
    admissionOf(await house.limiter.admit(call())).settle(1_000)
    expect(house.operations).toEqual({ reads: 1, writes: 2 })
    admissionOf(await house.limiter.admit(call())).settle(1_000)
    expect(house.operations).toEqual({ reads: 1, writes: 2 })
    await house.limiter.close()
  })

  it('of a call that comes alone takes one write more, which leaves nothing leased', async () => {
    const { open, pass, windows } = await street()
    const house = open()

    admissionOf(await house.limiter.admit(call())).settle(700)
    await pass(30_000)
    expect(house.operations).toEqual({ reads: 1, writes: 2 })
    const stored = await windows.read(TenantScope.ofPlatform('ten_a'))
    expect(stored?.state.sections.get('tenant')).toEqual({
      spent: [expect.objectContaining({ requests: 1, tokens: 700 })],
      leases: new Map(),
    })
    expect(stored?.state.holders.size).toBe(0)
    await house.limiter.close()
  })

  it('seldom waits for storage while calls keep coming at a steady pace', async () => {
    const { open, pass } = await street()
    const house = open()
    const wide = { requestsPerMinute: 6_000, tokensPerMinute: 6_000_000, concurrentCalls: 500 }
    let waited = 0
    for (let i = 0; i < 200; i++) {
      const before = house.operations.reads + house.operations.writes
      const admission = admissionOf(await house.limiter.admit(call({ limits: wide, tokens: 500 })))
      // A renewal ahead of need begins after the call was admitted, and only `pass` lets storage answer it.
      if (house.operations.reads + house.operations.writes > before + 1) waited++
      await pass(100)
      if (i > 20) admission.settle(500)
    }
    expect(waited).toBeLessThanOrEqual(2)
    expect(house.operations.writes).toBeLessThan(60)
    await house.limiter.close()
  })

  it('of a thousand first calls at once costs one write, in order of arrival', async () => {
    const { open } = await street()
    const house = open()
    const wide = { requestsPerMinute: 600, tokensPerMinute: 1_000_000, concurrentCalls: 5_000 }

    const results = await Promise.all(
      Array.from({ length: 1_000 }, () => house.limiter.admit(call({ limits: wide, tokens: 10 }))),
    )
    expect(results.map(({ kind }) => kind)).toEqual(results.map((_, i) => (i < 600 ? 'admitted' : 'refused')))
    expect(house.operations.writes).toBe(1)
    await house.limiter.close()
  })

  it('over two instances is exactly the limit and not one call more', async () => {
    const { open, meanwhile } = await street()
    const [one, two] = [open(), open()]

    let admitted = 0
    for (let round = 0; round < 80; round++) {
      const results = await meanwhile(Promise.all([one, two].map(({ limiter }) => limiter.admit(call({ tokens: 1 })))))
      for (const result of results) {
        if (result.kind !== 'admitted') continue
        admitted++
        result.admission.settle(1)
      }
    }
    expect(admitted).toBe(limits.requestsPerMinute)
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })

  it('lets a call use at once what the one before it reserved and did not use', async () => {
    const { open } = await street()
    const house = open()
    const whole = call({ tokens: limits.tokensPerMinute })

    const first = admissionOf(await house.limiter.admit(whole))
    expect((await house.limiter.admit(call({ tokens: 1 }))).kind).toBe('refused')
    first.settle(0)
    expect((await house.limiter.admit(whole)).kind).toBe('admitted')
    await house.limiter.close()
  })

  it('charges what a call used beyond its reservation, past the limit, and refuses until that has left', async () => {
    const { open, pass } = await street()
    const house = open()

    admissionOf(await house.limiter.admit(call({ tokens: 90_000 }))).settle(150_000)
    expect(refusalOf(await house.limiter.admit(call({ tokens: 1 })))).toMatchObject({ limit: 'tokensPerMinute' })
    await pass(59_000)
    expect((await house.limiter.admit(call({ tokens: 1 }))).kind).toBe('refused')
    await pass(2_500)
    expect((await house.limiter.admit(call({ tokens: limits.tokensPerMinute }))).kind).toBe('admitted')
    await house.limiter.close()
  })

  it('says the limits, what is left of them and when the window is empty', async () => {
    const { open } = await street()
    const house = open()

    const { rates } = admissionOf(await house.limiter.admit(call({ tokens: 30_000 })))
    expect(rates.requests).toEqual({ limit: 100, remaining: 99, resetMs: WINDOW_MS_MAX })
    expect(rates.tokens).toEqual({ limit: 100_000, remaining: 70_000, resetMs: WINDOW_MS_MAX })
    await house.limiter.close()
  })
})

describe('a refusal', () => {
  it('says the wait after which the same call is admitted, and before which it is not', async () => {
    const { open, pass } = await street()
    const house = open()

    await drain(house, call({ tokens: 10_000 }), { atMost: 5 })
    await pass(20_000)
    await drain(house, call({ tokens: 10_000 }))
    const { retryAfterMs, limit } = refusalOf(await house.limiter.admit(call({ tokens: 50_000 })))
    expect(limit).toBe('tokensPerMinute')
    await pass(retryAfterMs - 1)
    expect(refusalOf(await house.limiter.admit(call({ tokens: 50_000 }))).retryAfterMs).toBe(1)
    await pass(1)
    expect((await house.limiter.admit(call({ tokens: 50_000 }))).kind).toBe('admitted')
    await house.limiter.close()
  })

  it('costs no storage operation, however many calls are refused', async () => {
    const { open, pass } = await street()
    const house = open()
    await drain(house, call({ tokens: 1 }))
    await pass(100)

    const before = operations(house)
    expect(await Promise.all(Array.from({ length: 5_000 }, () => house.limiter.admit(call({ tokens: 1 }))))).toEqual(
      Array.from({ length: 5_000 }, () => expect.objectContaining({ kind: 'refused', limit: 'requestsPerMinute' })),
    )
    expect(operations(house)).toBe(before)
    await house.limiter.close()
  })

  it('is looked into again each second, since another instance may have given something back', async () => {
    const { open, pass } = await street()
    const [one, two] = [open(), open()]

    const held = admissionOf(await one.limiter.admit(call({ tokens: 90_000 })))
    expect((await two.limiter.admit(call({ tokens: 50_000 }))).kind).toBe('refused')
    held.settle(0)
    await pass(7_000)
    const before = operations(two)
    expect((await two.limiter.admit(call({ tokens: 90_000 }))).kind).toBe('admitted')
    expect(operations(two)).toBeGreaterThan(before)
    await Promise.all([one.limiter.close(), two.limiter.close()])
  })

  it('for want of a slot waits about as long as calls have lately taken', async () => {
    const { open, pass } = await street()
    const house = open()
    const narrow = call({ limits: { ...limits, concurrentCalls: 1 } })
    for (let i = 0; i < 60; i++) {
      const admission = admissionOf(await house.limiter.admit(call({ ...narrow, tokens: 1 })))
      await pass(400)
      admission.settle(1)
    }
    const running = admissionOf(await house.limiter.admit(narrow))
    const refusal = refusalOf(await house.limiter.admit(narrow))
    expect(refusal.limit).toBe('concurrentCalls')
    expect(refusal.retryAfterMs).toBeGreaterThanOrEqual(400)
    expect(refusal.retryAfterMs).toBeLessThan(450)

    running.settle(1)
    expect((await house.limiter.admit(narrow)).kind).toBe('admitted')
    await house.limiter.close()
  })

  it('is final for a call larger than the whole limit, and needs no storage', async () => {
    const { open } = await street()
    const house = open()
    const key = { keyId: 'key_1', limits: { tokensPerMinute: 500 } } as const

    expect(await house.limiter.admit(call({ tokens: 100_001 }))).toEqual({
      kind: 'never-fits',
      scope: 'tenant',
      tokensPerMinute: 100_000,
    })
    expect(await house.limiter.admit(call({ tokens: 501, key }))).toEqual({
      kind: 'never-fits',
      scope: 'key',
      tokensPerMinute: 500,
    })
    expect(operations(house)).toBe(0)
    await house.limiter.close()
  })
})

describe("a key's own limits", () => {
  const keyed = (keyId: `key_${string}`, more = {}) =>
    call({ tokens: 10, key: { keyId, limits: { requestsPerMinute: 5 } }, ...more })

  it('hold besides the tenant’s, cost no write of their own, and leave other keys alone', async () => {
    const { open } = await street()
    const house = open()

    await house.limiter.admit(keyed('key_1'))
    expect(house.operations).toEqual({ reads: 1, writes: 1 })
    expect(await drain(house, keyed('key_1'))).toBe(4)
    expect(refusalOf(await house.limiter.admit(keyed('key_1')))).toMatchObject({
      scope: 'key',
      limit: 'requestsPerMinute',
    })
    expect((await house.limiter.admit(keyed('key_2'))).kind).toBe('admitted')
    expect((await house.limiter.admit(call())).kind).toBe('admitted')
    await house.limiter.close()
  })

  it('cannot be widened past the tenant’s: the tenant is the one that refuses', async () => {
    const { open } = await street()
    const house = open()
    await drain(house, call({ tokens: 1 }))

    expect(refusalOf(await house.limiter.admit(keyed('key_1'))).scope).toBe('tenant')
    await house.limiter.close()
  })
})

describe("an alias's own limits", () => {
  const wide = { requestsPerMinute: 50, tokensPerMinute: 100_000 }
  const aliased = (name: string, more: Partial<AdmissionRequest> = {}) =>
    call({ tokens: 10, alias: { name, limits: { requestsPerMinute: 5 } }, ...more })

  it('hold besides the tenant’s and the key’s, and leave other aliases alone', async () => {
    const { open } = await street()
    const house = open()
    const key = { keyId: 'key_1', limits: wide } as const

    await house.limiter.admit(aliased('chat', { key }))
    expect(house.operations).toEqual({ reads: 1, writes: 1 })
    expect(await drain(house, aliased('chat', { key }))).toBe(4)
    expect(refusalOf(await house.limiter.admit(aliased('chat', { key })))).toMatchObject({
      scope: 'alias',
      limit: 'requestsPerMinute',
    })
    expect((await house.limiter.admit(aliased('other', { key }))).kind).toBe('admitted')
    await house.limiter.close()
  })

  it('hold over two instances', async () => {
    const { open, meanwhile } = await street()
    const [one, two] = [open(), open()]
    let admitted = 0
    for (let round = 0; round < 10; round++) {
      const results = await meanwhile(Promise.all([one, two].map(({ limiter }) => limiter.admit(aliased('chat')))))
      for (const result of results) {
        if (result.kind !== 'admitted') continue
        admitted++
        result.admission.settle(10)
      }
    }
    expect(admitted).toBe(5)
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })

  it('are not taken for those of a key, and refuse a call that is larger than the whole', async () => {
    const { open } = await street()
    const house = open()
    const narrow = { name: 'chat', limits: { tokensPerMinute: 500 } }
    expect(await house.limiter.admit(call({ tokens: 501, alias: narrow }))).toEqual({
      kind: 'never-fits',
      scope: 'alias',
      tokensPerMinute: 500,
    })
    await house.limiter.close()
  })

  it('are what the rates show where they are the tightest, of requests and of tokens each', async () => {
    const { open } = await street()
    const house = open()
    const key = { keyId: 'key_1', limits: { tokensPerMinute: 2_000 } } as const
    const { rates } = admissionOf(await house.limiter.admit(aliased('chat', { key, tokens: 500 })))
    expect(rates.requests).toMatchObject({ limit: 5, remaining: 4 })
    expect(rates.tokens).toMatchObject({ limit: 2_000, remaining: 1_500 })
    await house.limiter.close()
  })
})

describe('a lease', () => {
  it('is given back when idle, so that another instance can use the whole limit', async () => {
    const { open, pass } = await street()
    const [one, two] = [open(), open()]

    admissionOf(await one.limiter.admit(call({ tokens: 1_000 }))).settle(1_000)
    await pass(9_000)
    expect(await drain(two, call({ tokens: 1_000 }))).toBe(99)
    await Promise.all([one.limiter.close(), two.limiter.close()])
  })

  it('is kept alive while a call is under way, and costs nothing once none is', async () => {
    const { open, pass } = await street()
    const [one, two] = [open(), open()]
    const single = call({ limits: { ...limits, concurrentCalls: 1 } })

    const running = admissionOf(await one.limiter.admit(single))
    await pass(30_000)
    expect(refusalOf(await two.limiter.admit(single)).limit).toBe('concurrentCalls')
    running.settle(1_000)
    await pass(9_000)
    expect((await two.limiter.admit(single)).kind).toBe('admitted')
    const before = operations(one)
    await pass(20_000)
    expect(operations(one)).toBe(before)
    await Promise.all([one.limiter.close(), two.limiter.close()])
  })

  it('is reported and given back by a clean stop, after which nobody is admitted', async () => {
    const { open } = await street()
    const [one, two] = [open(), open()]

    const running = admissionOf(await one.limiter.admit(call({ tokens: 1_000 })))
    await one.limiter.close()
    running.settle(1_000)
    await expect(one.limiter.admit(call())).rejects.toMatchObject({ problem: { code: 'shutting_down' } })
    expect(await drain(two, call({ tokens: 1_000 }))).toBe(99)
    await two.limiter.close()
  })
})
