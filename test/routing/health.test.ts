import { createBackendHealth, FAILURES_TO_OPEN, OPEN_MS_FIRST, OPEN_MS_MAX } from '../../src/routing/health'
import { handClock } from '../harness/hand-clock'

const id = 'bke_a' as const

function setUp() {
  const clock = handClock()
  const health = createBackendHealth(clock)
  const failTimes = (times: number) => {
    for (let i = 0; i < times; i++) health.failed(id)
  }
  return { clock, health, failTimes }
}

describe("a backend's health", () => {
  it('opens the circuit after failures in a row, and not before', () => {
    const { health, failTimes } = setUp()
    failTimes(FAILURES_TO_OPEN - 1)
    expect(health.view(id).kind).toBe('ready')
    health.succeeded(id, undefined)
    failTimes(FAILURES_TO_OPEN - 1)
    expect(health.view(id).kind).toBe('ready')
    failTimes(1)
    expect(health.view(id)).toEqual({ kind: 'resting', waitMs: OPEN_MS_FIRST })
  })

  it('lets exactly one probe through when the pause is over, and closes on its success', async () => {
    const { clock, health, failTimes } = setUp()
    failTimes(FAILURES_TO_OPEN)
    await clock.advance(OPEN_MS_FIRST)
    expect(health.view(id).kind).toBe('ready')
    health.dispatched(id)
    expect(health.view(id).kind).toBe('resting')
    health.succeeded(id, undefined)
    expect(health.view(id).kind).toBe('ready')
    health.dispatched(id)
    expect(health.view(id).kind).toBe('ready')
  })

  it('rests twice as long after each failed probe, up to its bound', async () => {
    const { clock, health, failTimes } = setUp()
    failTimes(FAILURES_TO_OPEN)
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      const view = health.view(id)
      pauses.push(view.kind === 'resting' ? view.waitMs : 0)
      await clock.advance(pauses.at(-1) ?? 0)
      health.dispatched(id)
      health.failed(id)
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, OPEN_MS_MAX, OPEN_MS_MAX])
  })

  it('gives the probe back when the call ended for another reason', async () => {
    const { clock, health, failTimes } = setUp()
    failTimes(FAILURES_TO_OPEN)
    await clock.advance(OPEN_MS_FIRST)
    health.dispatched(id)
    health.unprobed(id)
    expect(health.view(id).kind).toBe('ready')
  })

  it('rests for as long as the backend asks, but never a day for one large call', async () => {
    const { clock, health } = setUp()
    health.throttled(id, 700)
    expect(health.view(id)).toEqual({ kind: 'resting', waitMs: 700 })
    await clock.advance(700)
    expect(health.view(id).kind).toBe('ready')
    health.throttled(id, 86_400_000)
    expect(health.view(id)).toEqual({ kind: 'resting', waitMs: 60_000 })
  })

  it('counts as saturated on its utilisation header, and for a short while only', async () => {
    const { clock, health } = setUp()
    health.succeeded(id, 1.02)
    expect(health.view(id)).toEqual({ kind: 'ready', saturated: true })
    await clock.advance(2_000)
    expect(health.view(id)).toEqual({ kind: 'ready', saturated: false })
    health.succeeded(id, 1.02)
    health.succeeded(id, 0.4)
    expect(health.view(id)).toEqual({ kind: 'ready', saturated: false })
  })
})
