import { ANSWER_MS_MAX, Quotas } from '../../src/fairness/quotas'
import { readQuota } from '../../src/fairness/read-quota'
import { inOrder, street, turnOf } from './queue'

const headers = (limit: string, remaining: string, reset: string) => ({
  'x-ratelimit-limit-tokens': limit,
  'x-ratelimit-remaining-tokens': remaining,
  'x-ratelimit-reset-tokens': reset,
})

describe('the quota headers of an answer', () => {
  it('are read as tokens and whole seconds', () => {
    expect(readQuota(headers('150000', '149984', '7'))).toEqual({
      tokensMax: 150_000,
      tokensLeft: 149_984,
      resetMs: 7_000,
    })
  })

  it('of which a reset later than any window is taken for a minute', () => {
    expect(readQuota(headers('150000', '1', '300'))?.resetMs).toBe(60_000)
  })

  it.each([
    ['that say -1, as some deployments do', headers('-1', '-1', '10')],
    ['without a limit', headers('0', '0', '10')],
    ['that are no numbers', headers('many', 'some', 'soon')],
    ['that are empty', headers('', '', '')],
    ['that are not there', {}],
  ])('%s say nothing', (_, headers) => {
    expect(readQuota(headers)).toBeUndefined()
  })
})

describe('the quotas of a set of backends', () => {
  const report = (tokensLeft: number, { sentAtMs = 0, sentBefore = 0 } = {}) => ({
    quota: { tokensMax: 1_000, tokensLeft, resetMs: 10_000 },
    sentAtMs,
    sentBefore,
  })

  it('say nothing while one of the backends has said nothing, since it may have room', () => {
    const quotas = new Quotas(['bke_one', 'bke_two'])
    quotas.say('bke_one', report(0), 0)
    expect(quotas.spread(0)).toBeUndefined()
    quotas.say('bke_two', report(100), 0)
    expect(quotas.spread(0)).toEqual({ rate: 0.01, untilMs: 10_000, isScarce: true })
  })

  it('are scarce only where each has less than three quarters left, and forgotten when they are whole again', () => {
    const quotas = new Quotas(['bke_one', 'bke_two'])
    quotas.say('bke_one', report(100), 0)
    quotas.say('bke_two', report(750), 0)
    expect(quotas.spread(9_999)).toMatchObject({ isScarce: false })
    expect(quotas.spread(10_000)).toBeUndefined()
  })

  it('are ours only in the part that we use of them: three instances do not each take the whole', () => {
    const quotas = new Quotas(['bke_one'])
    for (let i = 0; i <= 20; i++) quotas.say('bke_one', report(900 - 30 * i, { sentAtMs: i, sentBefore: 10 * i }), i)
    const [ours = 0, whole] = [quotas.spread(20)?.rate, 300 / 10_000]
    expect(ours).toBeGreaterThan(whole / 3)
    expect(ours).toBeLessThan(whole / 2)
  })

  it('are what the latest call was told, in whatever order answers come', () => {
    const inOrder = new Quotas(['bke_one'])
    const mixed = new Quotas(['bke_one'])
    const reports = Array.from({ length: 20 }, (_, i) => report(900 - 30 * i, { sentAtMs: i, sentBefore: 30 * i }))
    for (const one of reports) inOrder.say('bke_one', one, 100)
    for (let i = 0; i < 20; i += 2) {
      for (const one of reports.slice(i, i + 2).toReversed()) mixed.say('bke_one', one, 100)
    }
    expect(mixed.spread(100)?.rate).toBeCloseTo(inOrder.spread(100)?.rate ?? 0, 4)
  })

  it('take no word from a backend of another set, nor from an answer that took long', () => {
    const quotas = new Quotas(['bke_one'])
    quotas.say('bke_two', report(1), 0)
    quotas.say('bke_one', report(1), ANSWER_MS_MAX + 1)
    expect(quotas.spread(0)).toBeUndefined()
  })
})

describe('a quota of which less than three quarters are left', () => {
  it('is spread over the time until it is whole again', async () => {
    const { clock, go, take } = street()
    const { watch, order } = inOrder()
    go({ tenantId: 'ten_b' }).release(100)
    const turn = go()
    turn.learn('bke_one', {
      quota: { tokensMax: 100_000, tokensLeft: 2_000, resetMs: 20_000 },
      utilization: undefined,
    })
    turn.release(100)
    for (let i = 0; i < 80; i++) watch('call', take())
    await clock.advance(5_000)
    // 100 tokens a second, and half a second's worth at once.
    expect(order.length).toBeGreaterThanOrEqual(5)
    expect(order.length).toBeLessThanOrEqual(7)
  })

  it('may be used at once by a tenant that has the backends alone', () => {
    const { go } = street()
    const turn = go()
    turn.learn('bke_one', {
      quota: { tokensMax: 100_000, tokensLeft: 2_000, resetMs: 20_000 },
      utilization: undefined,
    })
    turn.release(100)
    for (let i = 0; i < 500; i++) go().release(100)
  })

  it('holds up nobody while there is more and nobody waits', () => {
    const { go } = street()
    go({ tenantId: 'ten_b' }).release(100)
    const turn = go()
    turn.learn('bke_one', {
      quota: { tokensMax: 100_000, tokensLeft: 80_000, resetMs: 20_000 },
      utilization: undefined,
    })
    turn.release(100)
    for (let i = 0; i < 500; i++) go().release(100)
  })
})

describe('the utilisation that provisioned throughput says', () => {
  const full = { quota: undefined, utilization: 1.01 }

  it('lets calls go no faster than they lately did, once every backend of the set is full', async () => {
    const { clock, go, take } = street()
    const { watch, order } = inOrder()
    for (let i = 0; i < 100; i++) {
      const turn = go()
      if (i === 99) turn.learn('bke_one', full)
      turn.release(100)
      await clock.advance(100)
    }
    for (let i = 0; i < 60; i++) watch('call', take())
    await clock.advance(2_000)
    expect(order.length).toBeGreaterThanOrEqual(20)
    expect(order.length).toBeLessThanOrEqual(27)
  })

  it('does not starve an instance that had little to send when others filled the backends', async () => {
    const { clock, go, take } = street()
    const { watch, order } = inOrder()
    const turn = go()
    turn.learn('bke_one', full)
    turn.release(100)
    for (let i = 0; i < 30; i++) watch('call', take())
    await clock.advance(3_000)
    expect(order.length).toBeGreaterThanOrEqual(12)
  })

  it('holds up nobody while one backend of the set has room or has said nothing', () => {
    const { take } = street()
    const both = { backendIds: ['bke_one', 'bke_two'] } as const
    const one = turnOf(take(both))
    one.learn('bke_one', full)
    one.learn('bke_two', { quota: undefined, utilization: 0.9 })
    one.release(100)
    for (let i = 0; i < 500; i++) turnOf(take(both)).release(100)
  })
})
