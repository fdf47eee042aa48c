import { judgeReadiness } from '../../src/health/judge-readiness'
import { kindOfError, partNames, type Found, type Look, type PartName } from '../../src/health/part'
import { createReadiness, FRESH_MS } from '../../src/health/readiness'
import { handClock } from '../harness/hand-clock'

const ok: Found = { state: 'ok' }
const found = (parts: Partial<Record<PartName, Found['state']>>) =>
  new Map(Object.entries(parts).map(([name, state]) => [name as PartName, { state }]))

describe('an instance', () => {
  it('is ready while all its parts are well, whichever it has', () => {
    expect(judgeReadiness(found({ storage: 'ok', 'usage-log': 'ok' }), false)).toBe('ready')
    expect(judgeReadiness(new Map(partNames.map((name) => [name, ok])), false)).toBe('ready')
  })

  it.each(['storage', 'usage-log', 'backends'] as const)('takes no calls while its %s fails', (name) => {
    expect(judgeReadiness(found({ [name]: 'failing', 'sign-in': 'ok' }), false)).toBe('unready')
  })

  it.each(['key-vault', 'sign-in'] as const)('goes on taking calls while its %s fails', (name) => {
    expect(judgeReadiness(found({ [name]: 'failing', storage: 'ok' }), false)).toBe('degraded')
  })

  it('goes on taking calls while some backends are broken', () => {
    expect(judgeReadiness(found({ backends: 'impaired', storage: 'ok' }), false)).toBe('degraded')
  })

  it('that stops says so, however its parts are', () => {
    expect(judgeReadiness(found({ storage: 'failing' }), true)).toBe('stopping')
  })
})

describe('a look', () => {
  function setUp(looks: Partial<Record<PartName, Look>>) {
    const clock = handClock()
    let isStopping = false
    const readiness = createReadiness({ looks, isStopping: () => isStopping, clock })
    return { clock, readiness, stop: () => (isStopping = true) }
  }

  it('serves everyone who asks within its time, and no one later', async () => {
    let looks = 0
    const { clock, readiness } = setUp({
      storage: () => {
        looks++
        return ok
      },
    })
    await Promise.all([readiness.look(), readiness.look()])
    await clock.advance(FRESH_MS - 1)
    await readiness.look()
    expect(looks).toBe(1)
    await clock.advance(1)
    await readiness.look()
    expect(looks).toBe(2)
  })

  it('shows a stop at once', async () => {
    const { readiness, stop } = setUp({ storage: () => ok })
    expect(await readiness.look()).toMatchObject({ state: 'ready' })
    stop()
    expect(await readiness.look()).toMatchObject({ state: 'stopping' })
  })

  it('says since when a part has been as it is, also when why has changed', async () => {
    let now: Found = ok
    const { clock, readiness } = setUp({ storage: () => now })
    await readiness.look()
    await clock.advance(10_000)
    const brokenAt = clock.now()
    now = { state: 'failing', why: 'ECONNREFUSED' }
    await readiness.look()
    await clock.advance(10_000)
    now = { state: 'failing', why: 'status 503' }
    const { parts } = await readiness.look()
    expect(parts).toEqual([{ name: 'storage', state: 'failing', why: 'status 503', since: brokenAt }])
  })

  it('at a part that hangs is given up in time, and not begun again beside the one that hangs', async () => {
    let begun = 0
    const { clock, readiness } = setUp({
      storage: () => ok,
      'sign-in': () => {
        begun++
        return new Promise<Found>(() => {})
      },
    })
    for (let asked = 0; asked < 3; asked++) {
      const view = readiness.look()
      await clock.advance(0)
      await clock.advance(2_000)
      expect(await view).toMatchObject({
        state: 'degraded',
        parts: [
          { name: 'storage', state: 'ok' },
          { name: 'sign-in', state: 'failing', why: 'no answer in time' },
        ],
      })
    }
    expect(begun).toBe(1)
  })

  it('tells the kind of an error and nothing of its text', async () => {
    const failing = (error: unknown) => () => Promise.reject(error)
    const { readiness } = setUp({
      storage: failing(Object.assign(new Error('https://account.example/?sig=secret'), { statusCode: 403 })),
      'key-vault': failing(Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' })),
    })
    expect((await readiness.look()).parts.map(({ why }) => why)).toEqual(['status 403', 'ECONNREFUSED'])
    expect(kindOfError('https://account.example')).toBe('unknown')
  })
})
