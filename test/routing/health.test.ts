import fc from 'fast-check'
import {
  COOL_DOWN_MS_MAX,
  FAILURE_WINDOW_MS,
  FAILURES_PER_TENANT_MAX,
  FAILURES_TO_OPEN,
  OVERSIZE_REST_MS,
} from '../../src/routing/backend-state'
import { OPEN_MS_FIRST, OPEN_MS_MAX, PROBE_MS_MAX } from '../../src/routing/circuit'
import { createBackendHealth, type HealthAttempt } from '../../src/routing/health'
import { handClock } from '../harness/hand-clock'

const id = 'bke_a' as const
const ready = { kind: 'ready' } as const

function setUp() {
  const clock = handClock()
  const health = createBackendHealth(clock)
  const begin = (tenant: `ten_${string}` = 'ten_a'): HealthAttempt => {
    const attempt = health.begin(id, tenant)
    if (attempt.kind === 'resting') throw new Error(`${id} rests for ${attempt.waitMs} ms`)
    return attempt
  }
  const failTimes = (times: number, tenant: `ten_${string}` = 'ten_a') => {
    for (let i = 0; i < times; i++) begin(tenant).failed('answered')
  }
  const view = (tenant: `ten_${string}` = 'ten_a') => health.view(id, tenant)
  return { clock, health, begin, failTimes, view }
}

describe("a tenant's failures at a backend", () => {
  it('open the circuit for it after so many in a row, and not before', () => {
    const { begin, failTimes, view } = setUp()
    failTimes(FAILURES_TO_OPEN - 1)
    expect(view()).toEqual(ready)
    begin().succeeded()
    failTimes(FAILURES_TO_OPEN - 1)
    expect(view()).toEqual(ready)
    failTimes(1)
    expect(view()).toEqual({ kind: 'resting', waitMs: OPEN_MS_FIRST })
  })

  it('count only while they are of one minute', async () => {
    const { clock, failTimes, view } = setUp()
    failTimes(FAILURES_TO_OPEN - 1)
    await clock.advance(FAILURE_WINDOW_MS + 1)
    failTimes(FAILURES_TO_OPEN - 1)
    expect(view()).toEqual(ready)
  })

  it('leave the backend to everybody else', () => {
    const { failTimes, view } = setUp()
    failTimes(FAILURES_TO_OPEN)
    expect(view('ten_b')).toEqual(ready)
  })

  it('and another one’s first failures do not open it for all', () => {
    const { failTimes, view } = setUp()
    failTimes(FAILURES_TO_OPEN)
    failTimes(FAILURES_TO_OPEN - FAILURES_PER_TENANT_MAX - 1, 'ten_b')
    expect(view('ten_c')).toEqual(ready)
    failTimes(1, 'ten_b')
    expect(view('ten_c')).toEqual({ kind: 'resting', waitMs: OPEN_MS_FIRST })
  })

  it('never close it to others, whatever it does and however long, while theirs succeed now and then', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('attack' as const) },
      { weight: 1, arbitrary: fc.constant('other succeeds' as const) },
      { weight: 1, arbitrary: fc.constant('other fails once, then succeeds' as const) },
      { weight: 1, arbitrary: fc.constant('time' as const) },
    )
    return fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const { clock, health, begin, view } = setUp()
        for (const now of steps) {
          if (now === 'attack') {
            const attempt = health.begin(id, 'ten_attacker')
            if (attempt.kind === 'begun') attempt.failed('answered')
          }
          if (now === 'other fails once, then succeeds') begin('ten_b').failed('answered')
          if (now.startsWith('other')) begin('ten_b').succeeded()
          if (now === 'time') await clock.advance(7_000)
          expect(view('ten_b')).toEqual(ready)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('are kept for a bounded number of tenants', () => {
    const { health } = setUp()
    for (let i = 0; i < 1_000; i++) {
      const attempt = health.begin(id, `ten_${i}`)
      if (attempt.kind === 'begun') attempt.failed('answered')
    }
    expect(health.view(id, 'ten_new').kind).toBe('resting')
  })
})

describe('no connection to a backend', () => {
  it('opens the circuit for all, whoever met it', () => {
    const { begin, view } = setUp()
    for (let i = 0; i < FAILURES_TO_OPEN; i++) begin('ten_a').failed('unreachable')
    expect(view('ten_b')).toEqual({ kind: 'resting', waitMs: OPEN_MS_FIRST })
  })
})

describe('an open circuit', () => {
  const opened = () => {
    const set = setUp()
    for (let i = 0; i < FAILURES_TO_OPEN; i++) set.begin().failed('unreachable')
    return set
  }

  it('lets exactly one probe through when its pause is over, and closes on its success', async () => {
    const { clock, begin, view } = opened()
    await clock.advance(OPEN_MS_FIRST)
    expect(view('ten_b')).toEqual(ready)
    const probe = begin('ten_b')
    expect(view('ten_a').kind).toBe('resting')
    expect(view('ten_b').kind).toBe('resting')
    probe.succeeded()
    expect(view('ten_a')).toEqual(ready)
    begin('ten_b')
    expect(view('ten_b')).toEqual(ready)
  })

  it('gives the probe to one of two calls that were planned at the same time', async () => {
    const { clock, health } = opened()
    await clock.advance(OPEN_MS_FIRST)
    expect([health.view(id, 'ten_a').kind, health.view(id, 'ten_b').kind]).toEqual(['ready', 'ready'])
    expect([health.begin(id, 'ten_a').kind, health.begin(id, 'ten_b').kind]).toEqual(['begun', 'resting'])
  })

  it('rests twice as long after each failed probe, up to its bound', async () => {
    const { clock, begin, view } = opened()
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      const now = view('ten_b')
      pauses.push(now.kind === 'resting' ? now.waitMs : 0)
      await clock.advance(pauses.at(-1) ?? 0)
      begin(`ten_p${i}`).failed('answered')
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, OPEN_MS_MAX, OPEN_MS_MAX])
  })

  it('gives the probe to the next call when the one that had it ended for another reason', async () => {
    const { clock, begin, view } = opened()
    await clock.advance(OPEN_MS_FIRST)
    begin().abandoned()
    expect(view()).toEqual(ready)
  })

  it('does not wait for ever for a probe that says nothing', async () => {
    const { clock, begin, view } = opened()
    await clock.advance(OPEN_MS_FIRST)
    const silent = begin()
    await clock.advance(PROBE_MS_MAX)
    const next = begin()
    silent.failed('answered')
    next.succeeded()
    expect(view()).toEqual(ready)
  })

  it('is not closed, nor its pause made longer, by calls that began before it opened', async () => {
    const { begin, view } = setUp()
    const [late, later] = [begin('ten_b'), begin('ten_b')]
    for (let i = 0; i < FAILURES_TO_OPEN; i++) begin().failed('unreachable')
    late.succeeded()
    later.failed('unreachable')
    expect(view('ten_b')).toEqual({ kind: 'resting', waitMs: OPEN_MS_FIRST })
  })

  it('has at most one probe under way, and rests at least its first pause after one failed, in any order of events', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('begin' as const), tenant: fc.nat(3) }),
      fc.record({ kind: fc.constant('end' as const), how: fc.constantFrom('failed' as const, 'abandoned' as const) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 12_000 }) }),
    )
    return fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 120 }), async (events) => {
        const { clock, health, view } = opened()
        let probe: { attempt: HealthAttempt; sinceMs: number } | undefined
        for (const now of events) {
          if (now.kind === 'wait') await clock.advance(now.ms)
          if (now.kind === 'begin') {
            const attempt = health.begin(id, `ten_${now.tenant}`)
            if (attempt.kind === 'resting') {
              expect(attempt.waitMs).toBeGreaterThan(0)
              continue
            }
            if (probe) expect(clock.monotonicMs() - probe.sinceMs).toBeGreaterThanOrEqual(PROBE_MS_MAX)
            probe = { attempt, sinceMs: clock.monotonicMs() }
          }
          if (now.kind === 'end' && probe) {
            if (now.how === 'failed') probe.attempt.failed('answered')
            else probe.attempt.abandoned()
            probe = undefined
            const after = view('ten_new')
            if (now.how === 'failed') expect(after.kind === 'resting' && after.waitMs >= OPEN_MS_FIRST).toBe(true)
            else expect(after).toEqual(ready)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('a throttle', () => {
  it('rests the backend for all for as long as it asks', async () => {
    const { clock, begin, view } = setUp()
    begin().throttled(700)
    expect(view('ten_b')).toEqual({ kind: 'resting', waitMs: 700 })
    await clock.advance(700)
    expect(view('ten_b')).toEqual(ready)
  })

  it('of a shorter wait does not end a longer one', () => {
    const { begin, view } = setUp()
    const [first, second] = [begin(), begin()]
    first.throttled(9_000)
    second.throttled(100)
    expect(view()).toEqual({ kind: 'resting', waitMs: 9_000 })
  })

  it('of a day, for one call larger than the quota, keeps only its tenant away and not for long', async () => {
    const { clock, begin, view } = setUp()
    begin().throttled(86_400_000)
    expect(view('ten_b')).toEqual(ready)
    expect(view('ten_a')).toEqual({ kind: 'resting', waitMs: OVERSIZE_REST_MS })
    await clock.advance(OVERSIZE_REST_MS)
    expect(view('ten_a')).toEqual(ready)
  })

  it('of a day that a second tenant is told too is for all', () => {
    const { begin, view } = setUp()
    begin('ten_a').throttled(86_400_000)
    begin('ten_b').throttled(86_400_000)
    expect(view('ten_c')).toEqual({ kind: 'resting', waitMs: COOL_DOWN_MS_MAX })
  })

  it('shows that the backend lives: its failures are forgotten', () => {
    const { clock, begin, failTimes, view } = setUp()
    failTimes(FAILURES_TO_OPEN - 1)
    begin().throttled(10)
    return clock.advance(10).then(() => {
      failTimes(FAILURES_TO_OPEN - 1)
      expect(view()).toEqual(ready)
    })
  })
})

describe('an attempt', () => {
  it('is reported once', () => {
    const { begin } = setUp()
    const attempt = begin()
    attempt.succeeded()
    expect(() => attempt.abandoned()).toThrow('an attempt is reported once')
  })
})

describe('how a backend stands for all', () => {
  it('is broken from when its circuit opened, then recovering, and ready once a probe has succeeded', async () => {
    const { clock, health, begin } = setUp()
    expect(health.standing(id)).toEqual(ready)
    await clock.advance(1_000)
    for (let i = 0; i < FAILURES_TO_OPEN; i++) begin().failed('unreachable')
    await clock.advance(1_000)
    const broken = { kind: 'broken', sinceMs: 1_000, why: 'unreachable', waitMs: OPEN_MS_FIRST - 1_000 }
    expect(health.standing(id)).toEqual(broken)
    await clock.advance(OPEN_MS_FIRST)
    expect(health.standing(id)).toEqual({ kind: 'recovering', sinceMs: 1_000, why: 'unreachable' })
    begin().failed('unreachable')
    expect(health.standing(id)).toMatchObject({ kind: 'broken', sinceMs: 1_000, waitMs: 2 * OPEN_MS_FIRST })
    await clock.advance(2 * OPEN_MS_FIRST)
    begin().succeeded()
    expect(health.standing(id)).toEqual(ready)
  })

  it('is not what one tenant has met', () => {
    const { health, failTimes } = setUp()
    failTimes(FAILURES_TO_OPEN)
    expect(health.standing(id)).toEqual(ready)
  })

  it('is throttled for as long as it has asked for', async () => {
    const { clock, health, begin } = setUp()
    begin().throttled(500)
    expect(health.standing(id)).toEqual({ kind: 'throttled', waitMs: 500 })
    await clock.advance(500)
    expect(health.standing(id)).toEqual(ready)
  })
})
