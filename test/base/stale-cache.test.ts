import { createStaleCache } from '../../src/base/stale-cache'
import { handClock } from '../harness/hand-clock'

const FRESH_MS = 5_000
const STALE_MS = 25_000

/** A cache over a source whose answers, failures and delays the test decides. */
function cacheOver(
  source: (key: string) => Promise<number> | number,
  entriesMax = 100,
  { clock = handClock(), readShareMax = Infinity } = {},
) {
  const reads: string[] = []
  const errors: unknown[] = []
  const cache = createStaleCache<string, number>({
    clock,
    load: async (key) => {
      reads.push(key)
      return source(key)
    },
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    readShareMax,
    entriesMax,
    onError: (error) => errors.push(error),
  })
  return { clock, reads, errors, cache }
}

/** What the cache answers without being awaited; fails where it would have to be. */
function atOnce<V>(answer: V | Promise<V>): V {
  if (answer instanceof Promise) throw new Error('the cache made its caller wait')
  return answer
}

describe('a stale cache', () => {
  it('answers at once and without a read while the value is fresh', async () => {
    const { cache, clock, reads } = cacheOver(() => 1)
    await cache.get('a')
    await clock.advance(FRESH_MS - 1)
    expect(atOnce(cache.get('a'))).toBe(1)
    expect(reads).toEqual(['a'])
  })

  it.each([
    ['less than its share', 100, FRESH_MS],
    ['more than its share', 500, 10_000],
    ['very long', 5_000, STALE_MS / 2],
  ])('that takes %s to read (%i ms) is read anew after %i ms', async (_, tookMs, againAfterMs) => {
    const clock = handClock()
    const options = { clock, readShareMax: 1 / 20 }
    const { cache, reads } = cacheOver(() => clock.sleep(tookMs).then(() => 1), 100, options)
    const first = cache.get('a')
    await clock.advance(tookMs)
    await first
    await clock.advance(againAfterMs - tookMs - 1)
    expect(atOnce(cache.get('a'))).toBe(1)
    expect(reads).toHaveLength(1)
    await clock.advance(1)
    expect(atOnce(cache.get('a'))).toBe(1)
    expect(reads).toHaveLength(2)
  })

  it('answers at once with the old value while it reads the new one', async () => {
    let stored = 1
    const { cache, clock } = cacheOver(() => stored)
    await cache.get('a')
    stored = 2
    await clock.advance(FRESH_MS)
    expect(atOnce(cache.get('a'))).toBe(1)
    await clock.advance(0)
    expect(atOnce(cache.get('a'))).toBe(2)
  })

  it('waits for a new reading rather than show a value older than its stale time', async () => {
    let stored = 1
    const { cache, clock } = cacheOver(() => stored)
    await cache.get('a')
    stored = 2
    await clock.advance(STALE_MS)
    expect(cache.has('a')).toBe(false)
    expect(await cache.get('a')).toBe(2)
  })

  it('counts a value’s age from the start of its read, not from its end', async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    const { cache, clock } = cacheOver(() => promise)
    const first = cache.get('a')
    await clock.advance(STALE_MS)
    resolve(1)
    expect(await first).toBe(1)
    expect(cache.has('a')).toBe(false)
  })

  it('reads once for everyone who asks at the same time', async () => {
    const { cache, reads } = cacheOver(() => 7)
    expect(await Promise.all([cache.get('a'), cache.get('a'), cache.get('a')])).toEqual([7, 7, 7])
    expect(reads).toEqual(['a'])
  })

  it('shows the old value through failing reads, and fails once it is too old', async () => {
    let broken = false
    const { cache, clock, errors } = cacheOver(() => (broken ? Promise.reject(new Error('down')) : 1))
    await cache.get('a')
    broken = true
    await clock.advance(STALE_MS - 1)
    expect(atOnce(cache.get('a'))).toBe(1)
    await clock.advance(0)
    expect(errors).toHaveLength(1)
    await clock.advance(1)
    await expect(cache.get('a')).rejects.toThrow('down')
  })

  it('does not meet an outage with a storm of reads', async () => {
    let broken = false
    const { cache, clock, reads } = cacheOver(() => (broken ? Promise.reject(new Error('down')) : 1))
    await cache.get('a')
    broken = true
    await clock.advance(FRESH_MS)
    for (let i = 0; i < 100; i++) {
      atOnce(cache.get('a'))
      await clock.advance(10)
    }
    expect(reads.length).toBeLessThanOrEqual(3)
  })

  it('reads again at the next call after a failed first read', async () => {
    let broken = true
    const { cache } = cacheOver(() => (broken ? Promise.reject(new Error('down')) : 1))
    await expect(cache.get('a')).rejects.toThrow('down')
    broken = false
    expect(await cache.get('a')).toBe(1)
  })

  it('does not keep a reading that was under way when the value was forgotten', async () => {
    const answers = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
    let next = 0
    const { cache } = cacheOver(() => answers[next++]?.promise ?? 0)
    const before = cache.get('a')
    cache.forget('a')
    const after = cache.get('a')
    answers[1]?.resolve(2)
    expect(await after).toBe(2)
    answers[0]?.resolve(1)
    expect(await before).toBe(1)
    expect(atOnce(cache.get('a'))).toBe(2)
  })

  it('holds no more than its bound, and lets the idle ones go first', async () => {
    const { cache, clock, reads } = cacheOver(() => 1, 3)
    for (const key of ['a', 'b', 'c']) await cache.get(key)
    await clock.advance(FRESH_MS)
    atOnce(cache.get('a'))
    await clock.advance(0)
    await cache.get('d')
    expect(['a', 'b', 'c', 'd'].map((key) => cache.has(key))).toEqual([true, false, true, true])
    expect(reads).toEqual(['a', 'b', 'c', 'a', 'd'])
  })
})
