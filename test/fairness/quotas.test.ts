import { Quotas } from '../../src/fairness/quotas'
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
  const quota = (tokensLeft: number, resetMs = 10_000) => ({ tokensMax: 1_000, tokensLeft, resetMs })

  it('say nothing while one of the backends has said nothing, since it may have room', () => {
    const quotas = new Quotas(['bke_one', 'bke_two'])
    quotas.say('bke_one', quota(0), 1, 0)
    expect(quotas.spread(0)).toBeUndefined()
    quotas.say('bke_two', quota(100), 1, 0)
    expect(quotas.spread(0)).toEqual({ rate: 0.01, untilMs: 10_000, isScarce: true })
  })

  it('are scarce only where each has less than half left, and forgotten when they are whole again', () => {
    const quotas = new Quotas(['bke_one', 'bke_two'])
    quotas.say('bke_one', quota(100), 1, 0)
    quotas.say('bke_two', quota(500), 1, 0)
    expect(quotas.spread(9_999)).toMatchObject({ isScarce: false })
    expect(quotas.spread(10_000)).toBeUndefined()
  })

  it('are ours only in the part that we use of them: three instances do not each take the whole', () => {
    const quotas = new Quotas(['bke_one'])
    quotas.say('bke_one', quota(900), 30, 0)
    for (let left = 800; left >= 300; left -= 100) quotas.say('bke_one', quota(left), 33, 0)
    expect(quotas.spread(0)?.rate).toBeCloseTo((0.33 * 300) / 10_000, 5)
    // A new window begins with what was learned in the last.
    quotas.say('bke_one', quota(1_000), 33, 0)
    expect(quotas.spread(0)?.rate).toBeCloseTo((0.33 * 1_000) / 10_000, 5)
  })

  it('take no word from a backend of another set', () => {
    const quotas = new Quotas(['bke_one'])
    quotas.say('bke_two', quota(1), 1, 0)
    expect(quotas.spread(0)).toBeUndefined()
  })
})

describe('a quota of which less than half is left', () => {
  it('is spread over the time until it is whole again, and all who wait go then', async () => {
    const { clock, go, take } = street()
    const { watch, order } = inOrder()
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

  it('holds up nobody while more than half is left and nobody waits', () => {
    const { go } = street()
    const turn = go()
    turn.learn('bke_one', {
      quota: { tokensMax: 100_000, tokensLeft: 60_000, resetMs: 20_000 },
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
