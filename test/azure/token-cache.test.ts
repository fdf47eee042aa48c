import type { AccessToken } from '@azure/core-auth'
import { createTokenCache } from '../../src/azure/token-cache'
import { handClock } from '../harness/hand-clock'

const HOUR_MS = 60 * 60_000
const MINUTE_MS = 60_000

function setUp(lifeMs = HOUR_MS) {
  const clock = handClock()
  const asked: string[] = []
  let pending: { resolve: (token: AccessToken) => void; reject: (error: Error) => void }[] = []
  const cache = createTokenCache({
    clock,
    fetch: (key) => {
      asked.push(key)
      return new Promise((resolve, reject) => pending.push({ resolve, reject }))
    },
  })
  const answer = async (outcome: string | Error) => {
    const waiting = pending
    pending = []
    for (const { resolve, reject } of waiting) {
      if (outcome instanceof Error) reject(outcome)
      else resolve({ token: outcome, expiresOnTimestamp: clock.now() + lifeMs })
    }
    await clock.advance(0)
  }
  const now = (key: string) => {
    const token = cache.get(key)
    return token instanceof Promise ? 'must be waited for' : token.token
  }
  return { clock, cache, asked, answer, now }
}

describe('a token of a directory', () => {
  it('is fetched once for all who ask meanwhile, and then had at once', async () => {
    const { cache, asked, answer, now } = setUp()
    const [first, second] = [cache.get('a'), cache.get('a')]
    await answer('one')
    expect([await first, await second].map(({ token }) => token)).toEqual(['one', 'one'])
    expect(asked).toEqual(['a'])
    expect(now('a')).toBe('one')
  })

  it('is renewed ahead of its expiry while the old one serves: nobody waits', async () => {
    const { clock, cache, asked, answer, now } = setUp()
    void cache.get('a')
    await answer('one')
    await clock.advance(HOUR_MS - 5 * MINUTE_MS - 1)
    expect(now('a')).toBe('one')
    expect(asked).toHaveLength(1)
    await clock.advance(1)
    expect(now('a')).toBe('one')
    expect(asked).toHaveLength(2)
    await answer('two')
    expect(now('a')).toBe('two')
    await clock.advance(HOUR_MS - 5 * MINUTE_MS)
    expect(now('a')).toBe('two')
  })

  it('serves to its end where the renewal fails, which is tried again and again', async () => {
    const { clock, cache, asked, answer, now } = setUp()
    void cache.get('a')
    await answer('one')
    await clock.advance(HOUR_MS - 5 * MINUTE_MS)
    for (let i = 0; i < 3; i++) {
      expect(now('a')).toBe('one')
      await answer(new Error('the directory is away'))
      await clock.advance(10_000)
    }
    expect(asked).toHaveLength(4)
    await clock.advance(5 * MINUTE_MS)
    const late = cache.get('a')
    expect(late).toBeInstanceOf(Promise)
    await answer(new Error('still away'))
    await expect(late).rejects.toThrow('still away')
    void Promise.resolve(cache.get('a')).catch(() => {})
    await answer('two')
    expect(now('a')).toBe('two')
  })

  it('of a short life is used for half of it', async () => {
    const { clock, cache, asked, answer, now } = setUp(MINUTE_MS)
    void cache.get('a')
    await answer('one')
    await clock.advance(29_999)
    expect([now('a'), asked.length]).toEqual(['one', 1])
    await clock.advance(1)
    expect([now('a'), asked.length]).toEqual(['one', 2])
  })

  it('is its own for each directory: one that fails keeps no other from its token', async () => {
    const { cache, answer, now } = setUp()
    const failing = Promise.resolve(cache.get('a'))
    failing.catch(() => {})
    await answer(new Error('no consent'))
    await expect(failing).rejects.toThrow('no consent')
    void cache.get('b')
    await answer('b’s')
    expect(now('b')).toBe('b’s')
  })
})
