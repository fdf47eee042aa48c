import { ProblemError } from '../../src/base/problem'
import { OWN_SECTIONS_MAX } from '../../src/limits/renew-window'
import { WAITERS_MAX } from '../../src/limits/renewals'
import { minuteWindow } from '../../src/limits/window-state'
import type { StoredWindow } from '../../src/limits/window-store'
import { TenantScope } from '../../src/storage/tenant-scope'
import { admissionOf, call, drain, limits, refusalOf, street } from './rows-on-azurite'

const unavailable = expect.objectContaining({ code: 'storage_unavailable', retryAfterMs: expect.any(Number) })
const codeOf = (error: unknown) => (error instanceof ProblemError ? error.problem : error)
const scope = TenantScope.ofPlatform('ten_a')

const spentIn = (stored: StoredWindow | undefined) =>
  stored?.state.sections.get('tenant')?.spent.reduce((sum, { tokens }) => sum + tokens, 0)

/** A promise and the function that fulfils it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { held: promise, open: resolve }
}

describe('what if the lease expires', () => {
  it('while its renewal is in flight: nothing more is spent from it, and what was spent counts once', async () => {
    const { open, pass, meanwhile } = await street()
    const [one, two] = [open(), open()]
    // One call alone leases nothing ahead.
    admissionOf(await one.limiter.admit(call({ tokens: 1 }))).settle(1)
    const running = admissionOf(await one.limiter.admit(call({ tokens: 20_000 })))
    const stuck = gate()
    one.faults.push(stuck, stuck, stuck, stuck, stuck, stuck)
    await pass(2_000)
    const second = admissionOf(await one.limiter.admit(call({ tokens: 1 })))
    await pass(3_500)

    // The lease has run out by its holder's own reckoning: it asks, and does not get an answer.
    const late = one.limiter.admit(call({ tokens: 1 })).catch(codeOf)
    await pass(6_000)
    expect(await late).toEqual(unavailable)
    const others = await meanwhile(drain(two, call({ tokens: 1_000 }), { atMost: 200 }))
    expect(others).toBeLessThanOrEqual(80)
    stuck.open()
    await pass(3_000)
    running.settle(20_000)
    second.settle(1)
    expect(refusalOf(await meanwhile(one.limiter.admit(call({ tokens: 30_000 })))).limit).toBe('tokensPerMinute')
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })

  it('because the process stood still: it does not go on spending when it wakes', async () => {
    const { open, clock, meanwhile } = await street()
    const [one, two] = [open(), open()]
    admissionOf(await one.limiter.admit(call({ tokens: 1_000 }))).settle(1_000)
    one.outage = true
    await clock.advance(7_000)
    expect(await meanwhile(drain(two, call({ tokens: 1_000 })))).toBeLessThanOrEqual(99)
    one.outage = false

    expect((await meanwhile(one.limiter.admit(call({ tokens: 1 })))).kind).toBe('refused')
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })

  it('and others have counted all of it as spent: its holder does not report the same spends again', async () => {
    const { open, pass, meanwhile, windows } = await street()
    const [one, two] = [open(), open()]
    admissionOf(await one.limiter.admit(call({ tokens: 30_000 }))).settle(30_000)
    one.outage = true
    await pass(7_000)
    admissionOf(await meanwhile(two.limiter.admit(call({ tokens: 1 })))).settle(1)
    await meanwhile(two.limiter.close())
    const before = spentIn(await windows.read(scope))
    one.outage = false
    await pass(5_000)

    expect(before).toBeGreaterThanOrEqual(30_001)
    expect(spentIn(await windows.read(scope))).toBe(before)
    await one.limiter.close()
  })

  it('and nobody else has looked: it is still ours, and nothing of it is lost', async () => {
    const { open, pass, meanwhile } = await street()
    const house = open()
    admissionOf(await house.limiter.admit(call({ tokens: 30_000 }))).settle(30_000)
    house.outage = true
    await pass(20_000)
    house.outage = false
    expect(await meanwhile(drain(house, call({ tokens: 1_000 })))).toBe(70)
    await house.limiter.close()
  })

  it('while a call runs on: its slot is claimed again as soon as storage answers', async () => {
    const { open, pass, meanwhile } = await street()
    const [one, two] = [open(), open()]
    const narrow = { ...limits, concurrentCalls: 2 }
    const running = admissionOf(await one.limiter.admit(call({ limits: narrow })))
    one.outage = true
    await pass(8_000)
    const second = admissionOf(await meanwhile(two.limiter.admit(call({ limits: narrow }))))
    one.outage = false
    await pass(6_000)

    expect((await meanwhile(two.limiter.admit(call({ limits: narrow })))).kind).toBe('refused')
    second.settle(1)
    running.settle(1)
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })
})

describe('what if a lease is being given back', () => {
  /** An instance that holds more than it spent, idle until just before it gives that back. */
  async function idling() {
    const place = await street()
    const [one, two] = [place.open(), place.open()]
    admissionOf(await one.limiter.admit(call({ tokens: 1 }))).settle(0)
    admissionOf(await one.limiter.admit(call({ tokens: 1_000 }))).settle(1_000)
    await place.pass(4_900)
    return { ...place, one, two }
  }

  it('and a call comes while the write is under way: it is not admitted from what is on its way back', async () => {
    const { one, two, pass, meanwhile } = await idling()
    const stuck = gate()
    one.faults.push(stuck)
    await pass(2_000)
    expect(one.faults).toEqual([])
    const asked = one.limiter.admit(call({ tokens: 1_000 }))
    stuck.open()
    expect((await meanwhile(asked)).kind).toBe('admitted')
    expect(await meanwhile(drain(two, call({ tokens: 1_000 })))).toBeLessThanOrEqual(98)
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })

  it('and the answer is lost: what may have been given back is not spent', async () => {
    const { one, two, pass, meanwhile } = await idling()
    one.faults.push('lose-answer', 'refuse')
    await pass(2_500)
    expect(one.faults).toEqual([])
    one.outage = true
    expect(await meanwhile(one.limiter.admit(call({ tokens: 1_000 })).catch(codeOf))).toEqual(unavailable)
    expect(await meanwhile(drain(two, call({ tokens: 1_000 })))).toBe(98)
    one.outage = false
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })
})

describe('what if a settlement', () => {
  it('comes twice: the second throws and changes nothing', async () => {
    const { open } = await street()
    const house = open()
    const admission = admissionOf(await house.limiter.admit(call({ tokens: 60_000 })))
    admission.settle(60_000)
    expect(() => admission.settle(0)).toThrow('settled once')
    expect((await house.limiter.admit(call({ tokens: 60_000 }))).kind).toBe('refused')
    await house.limiter.close()
  })

  it('comes after its window has passed: there is nothing left to refund', async () => {
    const { open, pass } = await street()
    const house = open()
    const slow = admissionOf(await house.limiter.admit(call({ tokens: 60_000 })))
    await pass(62_000)
    expect((await house.limiter.admit(call({ tokens: 100_000 }))).kind).toBe('admitted')
    slow.settle(0)
    await pass(3_000)
    expect(refusalOf(await house.limiter.admit(call({ tokens: 1 }))).limit).toBe('tokensPerMinute')
    await house.limiter.close()
  })

  it('carries no number: it throws, the slot is free and the reservation stays spent', async () => {
    const { open } = await street()
    const house = open()
    const narrow = { ...limits, concurrentCalls: 1 }
    const admission = admissionOf(await house.limiter.admit(call({ limits: narrow, tokens: 60_000 })))
    expect(() => admission.settle(Number.NaN)).toThrow('whole number')
    expect(refusalOf(await house.limiter.admit(call({ limits: narrow, tokens: 60_000 }))).limit).toBe('tokensPerMinute')
    expect((await house.limiter.admit(call({ limits: narrow, tokens: 1 }))).kind).toBe('admitted')
    await house.limiter.close()
  })

  it('refunds what was already reported: the tokens return through the row, not twice', async () => {
    const { open, pass } = await street()
    const house = open()
    const admission = admissionOf(await house.limiter.admit(call({ tokens: 100_000 })))
    await pass(3_000)
    admission.settle(40_000)
    await pass(3_000)
    expect((await house.limiter.admit(call({ tokens: 60_001 }))).kind).toBe('refused')
    await pass(1_000)
    expect((await house.limiter.admit(call({ tokens: 60_000 }))).kind).toBe('admitted')
    await house.limiter.close()
  })
})

describe('what if a refund', () => {
  it('is written without an answer by an instance that holds nothing: it is not made twice', async () => {
    const { open, pass, meanwhile, windows } = await street()
    const [one, two] = [open(), open()]
    const slow = admissionOf(await one.limiter.admit(call({ tokens: 50_000 })))
    await pass(3_000)
    one.outage = true
    await pass(8_000)
    admissionOf(await meanwhile(two.limiter.admit(call({ tokens: 1 }))))
    // It learns that its lease is gone, and cannot lease anything new before the call settles.
    one.faults.push('refuse', 'refuse')
    one.outage = false
    await pass(2_500)
    expect(one.faults).toEqual([])
    slow.settle(10_000)
    // The first write repeats the one that failed; the second carries the refund.
    one.faults.push({ held: Promise.resolve() }, 'lose-answer')
    await pass(7_000)
    expect(one.faults).toEqual([])

    const first = (await windows.read(scope))?.state.sections.get('tenant')?.spent[0]
    expect(first).toMatchObject({ requests: 1, tokens: 10_000 })
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })
})

describe('what if the row', () => {
  it('is deleted under us: the window is not forgotten with it', async () => {
    const { open, pass, meanwhile, deleteRow } = await street()
    const house = open()
    await drain(house, call({ tokens: 1_000 }), { atMost: 70 })
    await pass(500)
    await deleteRow('ten_a')
    expect(await meanwhile(drain(house, call({ tokens: 1_000 })))).toBe(30)
    await house.limiter.close()
  })

  it('is deleted and nobody calls: it is not made again', async () => {
    const { open, pass, windows, deleteRow } = await street()
    const house = open()
    const running = admissionOf(await house.limiter.admit(call()))
    await deleteRow('ten_a')
    await pass(20_000)
    running.settle(10)
    await pass(10_000)
    await house.limiter.close()
    expect(await windows.read(scope)).toBeUndefined()
  })

  it('is replaced by another instance’s: what we had not yet reported is reported into the new one', async () => {
    const { open, pass, meanwhile, deleteRow } = await street()
    const [one, two] = [open(), open()]
    admissionOf(await one.limiter.admit(call({ tokens: 40_000 }))).settle(40_000)
    await pass(100)
    await deleteRow('ten_a')
    expect((await meanwhile(two.limiter.admit(call({ tokens: 10_000 })))).kind).toBe('admitted')
    await pass(4_000)
    expect(await meanwhile(drain(two, call({ tokens: 10_000 })))).toBeLessThanOrEqual(5)
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })

  it('cannot be read by this version: nobody is admitted', async () => {
    const { open, windows, meanwhile } = await street()
    const house = open()
    windows.read = () => Promise.reject(new Error('limits row has version 9'))
    expect(await meanwhile(house.limiter.admit(call()).catch(codeOf))).toEqual(unavailable)
    await house.limiter.close()
  })

  it('has no place for one more key: its calls fail, those of the others go on', async () => {
    const { open, meanwhile } = await street()
    const [one, two] = [open(), open()]
    const wide = { ...limits, requestsPerMinute: 1_000, concurrentCalls: 500 }
    const keyed = (n: number) =>
      call({ tokens: 1, limits: wide, key: { keyId: `key_${n}`, limits: { requestsPerMinute: 50 } } })
    for (let n = 0; n < OWN_SECTIONS_MAX; n++) await one.limiter.admit(keyed(n))

    expect(await meanwhile(one.limiter.admit(keyed(99)).catch(codeOf))).toEqual(unavailable)
    expect(await meanwhile(two.limiter.admit(keyed(99)).catch(codeOf))).toEqual(unavailable)
    expect((await meanwhile(two.limiter.admit(keyed(1)))).kind).toBe('admitted')
    expect((await meanwhile(two.limiter.admit(call({ limits: wide })))).kind).toBe('admitted')
    await meanwhile(Promise.all([one.limiter.close(), two.limiter.close()]))
  })
})

describe('what if a limit', () => {
  it('is lowered while leased: not one call is admitted under the old one', async () => {
    const { open } = await street()
    const house = open()
    await drain(house, call({ tokens: 1_000 }), { atMost: 20 })
    const lowered = { ...limits, requestsPerMinute: 25 }
    expect(await drain(house, call({ tokens: 1_000, limits: lowered }))).toBe(5)
    await house.limiter.close()
  })

  it('is raised: the new one holds for the next call', async () => {
    const { open } = await street()
    const house = open()
    await drain(house, call({ tokens: 1_000 }))
    const raised = { ...limits, requestsPerMinute: 120, tokensPerMinute: 120_000 }
    expect(await drain(house, call({ tokens: 1_000, limits: raised }))).toBe(20)
    await house.limiter.close()
  })

  it('differs from call to call, as while a new snapshot arrives: the lower one is never passed', async () => {
    const { open } = await street()
    const house = open()
    const lowered = { ...limits, requestsPerMinute: 30 }
    let admitted = 0
    for (let i = 0; i < 60; i++) {
      const result = await house.limiter.admit(call({ tokens: 1, limits: i % 2 ? lowered : limits }))
      if (result.kind === 'admitted') admitted++
      if (i % 2 && result.kind === 'admitted') expect(admitted).toBeLessThanOrEqual(30)
    }
    await house.limiter.close()
  })
})

describe('what if a write', () => {
  it('lands and its answer is lost: the lease is neither lost nor taken twice', async () => {
    const { open, meanwhile } = await street()
    const house = open()
    house.faults.push('lose-answer')
    expect(await meanwhile(drain(house, call({ tokens: 1_000 })))).toBe(100)
    await house.limiter.close()
  })

  it('lands after we gave up on it and asked again: it counts once', async () => {
    const { open, pass, meanwhile } = await street()
    const house = open()
    await drain(house, call({ tokens: 1_000 }), { atMost: 10 })
    const stuck = gate()
    house.faults.push(stuck, stuck)
    await pass(7_000)
    expect(house.warnings).toHaveLength(1)
    stuck.open()
    await pass(100)
    expect(await meanwhile(drain(house, call({ tokens: 1_000 })))).toBe(90)
    await house.limiter.close()
  })

  it('lands and the instance dies before it knows: the lease counts as spent, and is back a window later', async () => {
    const { open, pass, meanwhile } = await street()
    const [one, two] = [open(), open()]
    one.faults.push('lose-answer')
    void one.limiter.admit(call({ tokens: 40_000 })).catch(() => {})
    await pass(0)
    one.outage = true
    const before = await meanwhile(drain(two, call({ tokens: 1_000 })))
    expect(before).toBeLessThanOrEqual(60)
    await pass(minuteWindow.leaseMs + 62_000)
    expect(await meanwhile(drain(two, call({ tokens: 1_000 })))).toBe(100)
    await two.limiter.close()
  })

  it('never lands: the call fails with a wait, and nothing stays reserved', async () => {
    const { open, pass, meanwhile } = await street()
    const house = open()
    house.outage = true
    expect(await meanwhile(house.limiter.admit(call()).catch(codeOf))).toEqual(unavailable)
    house.outage = false
    await pass(1_000)
    expect(await meanwhile(drain(house, call({ tokens: 1_000 })))).toBe(100)
    await house.limiter.close()
  })

  it('hangs: calls are shed once too many wait, and those that wait are answered in bounded time', async () => {
    const { open, pass } = await street()
    const house = open()
    const stuck = gate()
    house.faults.push(stuck, stuck, stuck)
    const waiting = Array.from({ length: WAITERS_MAX }, () => house.limiter.admit(call()).catch(codeOf))
    expect(await house.limiter.admit(call()).catch(codeOf)).toEqual(unavailable)
    await pass(5_000)
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => unavailable))
    stuck.open()
    await pass(3_000)
    await house.limiter.close()
  })
})

describe('what if an instance', () => {
  it('starts again under its old name: the lease of its former life counts as spent', async () => {
    const { open, meanwhile } = await street()
    const former = open({ instanceId: 'ins_same' })
    admissionOf(await former.limiter.admit(call({ tokens: 40_000 })))
    former.outage = true
    const next = open({ instanceId: 'ins_same' })
    expect(await meanwhile(drain(next, call({ tokens: 1_000 })))).toBeLessThanOrEqual(60)
    await next.limiter.close()
  })

  it('has a clock beyond the margin: the others say so in their logs', async () => {
    const { open, meanwhile } = await street()
    const [right, ahead] = [open(), open({ skewMs: 3_000 })]
    await ahead.limiter.admit(call())
    await meanwhile(right.limiter.admit(call()))
    expect(right.warnings).toContainEqual(expect.stringContaining('clock'))
    expect(ahead.warnings).toEqual([])
    await meanwhile(Promise.all([right.limiter.close(), ahead.limiter.close()]))
  })

  it('is asked for nonsense: it throws before anything is reserved', async () => {
    const { open } = await street()
    const house = open()
    for (const tokens of [0, -5, 1.5, Number.NaN, Infinity]) {
      await expect(house.limiter.admit(call({ tokens }))).rejects.toThrow('whole number')
    }
    expect(await drain(house, call({ tokens: 1_000 }))).toBe(100)
    await house.limiter.close()
  })
})

describe('what if tenant A floods', () => {
  it('tenant B is admitted from its own lease, without waiting for any of it', async () => {
    const { open, pass } = await street()
    const house = open()
    const ofB = call({ tenantId: 'ten_b', tokens: 100 })
    await drain(house, ofB, { atMost: 2 })
    const flood = Array.from({ length: 3_000 }, () => house.limiter.admit(call({ tokens: 900 })).catch(codeOf))
    const before = { ...house.operations }
    expect((await house.limiter.admit(ofB)).kind).toBe('admitted')
    expect(house.operations).toEqual(before)
    await pass(200)
    await Promise.all(flood)
    await house.limiter.close()
  })
})
