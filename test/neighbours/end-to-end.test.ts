import { emptyFigures } from '../../src/neighbours/minute-figures'
import { createNeighbourStore } from '../../src/neighbours/neighbour-store'
import { learnHour, newPoolNormal } from '../../src/neighbours/pool-normal'
import { defaultPolicy } from '../../src/neighbours/noisy-policy'
import { startMovedPlatform, type MovedPlatform, type MovedTenant } from './moved-platform'
import { startSharedBackend, type SharedBackend } from './shared-backend'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** In the next hour, since storage knows the time and takes no signature that has expired; it does not end during the test. */
const START_MS = Math.floor(Date.now() / HOUR_MS + 1) * HOUR_MS + 5 * MINUTE_MS
const CALL_MS = 2_000
const TOKENS = 200
const OUTPUT_TOKENS = 120
/** What each tenant asks for in quiet times. */
const CALLS_A_MINUTE = 20
const CLIENTS = 3
const FLOODING_CLIENTS = 30
const FLOOD_AFTER_MINUTES = 2
/** Should the throttle be enough for so long, the backend loses half of what it can do. */
const SQUEEZED_AFTER_MS = 3 * MINUTE_MS
const QUARANTINE_MINUTES = 3
const PATIENCE_MINUTES = 32

let app: MovedPlatform
let backend: SharedBackend
beforeAll(async () => {
  app = await startMovedPlatform(START_MS)
  backend = await startSharedBackend(app, {
    atOnce: 4,
    callMs: CALL_MS,
    promptTokens: TOKENS - OUTPUT_TOKENS,
    outputTokens: OUTPUT_TOKENS,
  })
})
afterAll(async () => {
  await app.stop()
  await backend.close()
})

interface Took {
  readonly atMs: number
  readonly ms: number
}

/** A client that calls again and again, one call at a time, and waits as long as it is told to. */
function client(tenant: MovedTenant, pauseMs: number): { readonly took: Took[]; stop(): Promise<void> } {
  const took: Took[] = []
  const over = new AbortController()
  const loop = async () => {
    while (!over.signal.aborted) {
      const atMs = app.clock.now()
      const { status, retryAfterMs } = await tenant.chat(OUTPUT_TOKENS)
      if (status === 200) took.push({ atMs, ms: app.clock.now() - atMs })
      await app.clock.sleep(status === 200 ? pauseMs : Math.max(CALL_MS, retryAfterMs))
    }
  }
  const ended = loop()
  ended.catch(() => {})
  return {
    took,
    stop: () => {
      over.abort()
      return ended
    },
  }
}

/** A week as the quiet minutes of this test are. */
async function learnQuietWeek(tenant: MovedTenant, poolId: `bke_${string}`): Promise<void> {
  const thisHour = Math.floor(START_MS / HOUR_MS) * HOUR_MS
  const normal = newPoolNormal(thisHour - 168 * HOUR_MS)
  for (let hourStartMs = normal.learnedToMs; hourStartMs < thisHour; hourStartMs += HOUR_MS) {
    const minutes = Array.from({ length: 60 }, (_, i) => {
      const minute = emptyFigures({ startMs: hourStartMs + i * MINUTE_MS, backendId: poolId })
      minute.calls = CALLS_A_MINUTE
      minute.tokens = CALLS_A_MINUTE * TOKENS
      minute.latency.add(CALL_MS, CALLS_A_MINUTE - 2)
      minute.latency.add(CALL_MS * 1.8, 2)
      return minute
    })
    learnHour(normal, { hourStartMs, minutes, wasNoisy: false })
  }
  await createNeighbourStore(app.storage).putNormal(tenant.scope, poolId, normal)
}

const p95 = (took: readonly Took[], fromMs: number, toMs: number): number => {
  const ms = took.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map((each) => each.ms)
  return ms.toSorted((a, b) => a - b)[Math.ceil(0.95 * ms.length) - 1] ?? 0
}

describe('a flood', () => {
  it('raises one alert, is throttled, then quarantined, until others recover, is let go when it is over, and both logs tell it', async () => {
    const { noisyNeighbours, alerts, audit } = app.platform.controlPlane
    const poolId = await app.makeBackend(backend.url)
    const [culprit, victim, other] = [
      await app.makeTenant(poolId),
      await app.makeTenant(poolId),
      await app.makeTenant(poolId),
    ]
    for (const tenant of [culprit, victim, other]) {
      await learnQuietWeek(tenant, poolId)
      const policy = {
        ...defaultPolicy,
        notifyMinutes: 1,
        lowerWeightMinutes: 1,
        throttleMinutes: 1,
        quarantineMinutes: QUARANTINE_MINUTES,
        calmMinutes: 1,
      }
      await noisyNeighbours.setPolicy(tenant.scope, policy)
    }
    const pauseMs = (CLIENTS * MINUTE_MS) / CALLS_A_MINUTE - CALL_MS
    const quiet = [victim, culprit, other].flatMap((tenant) =>
      Array.from({ length: CLIENTS }, () => client(tenant, pauseMs)),
    )
    const ofVictim = quiet.slice(0, CLIENTS)
    const flood: { stop(): Promise<void> }[] = []

    const seen: { minute: number; rung: string; atMs: number }[] = []
    const alertId = `noisy-neighbour/${culprit.tenantId}/${poolId}`
    const states: string[] = []
    let squeezedMs = Infinity
    let isFloodOver = false
    for (let minute = 0; minute < PATIENCE_MINUTES; minute++) {
      if (minute === FLOOD_AFTER_MINUTES) for (let i = 0; i < FLOODING_CLIENTS; i++) flood.push(client(culprit, 0))
      // As the timer does.
      let isDone = false
      const look = app.platform.timers['watch-neighbours'](noOrchestrations)
      look.then(
        () => (isDone = true),
        () => (isDone = true),
      )
      await app.run(MINUTE_MS, () => isDone)
      await look
      const [finding] = await noisyNeighbours.page({ after: undefined, limit: 10 })
      const rung = finding?.finding.ladder?.rung ?? 'none'
      if (rung !== (seen.at(-1)?.rung ?? 'none')) seen.push({ minute, rung, atMs: app.clock.now() })
      const state = (await alerts.get(alertId))?.state
      if (state && state !== states.at(-1)) states.push(state)
      if (rung === 'none' && seen.length > 0) break
      const throttledAt = seen.find((each) => each.rung === 'throttle')?.atMs ?? Infinity
      if (squeezedMs === Infinity && app.clock.now() >= throttledAt + SQUEEZED_AFTER_MS) {
        squeezedMs = app.clock.now()
        backend.setAtOnce(2)
      }
      if (rung === 'quarantine' && !isFloodOver) {
        isFloodOver = true
        for (const one of flood) void one.stop()
      }
      await app.run((Math.floor(app.clock.now() / MINUTE_MS) + 1) * MINUTE_MS + 15_000 - app.clock.now())
    }
    for (const one of quiet) void one.stop()

    expect(seen.map(({ rung }) => rung)).toEqual([
      'notify',
      'lower-weight',
      'throttle',
      'quarantine',
      'throttle',
      'lower-weight',
      'notify',
      'none',
    ])
    expect((seen[0]?.minute ?? Infinity) - FLOOD_AFTER_MINUTES).toBeLessThanOrEqual(4)
    expect(states).toEqual(['open', 'mitigated', 'resolved'])

    const [foundMs = 0, , throttledMs = 0, quarantinedMs = 0, releasedMs = 0] = seen.map(({ atMs }) => atMs)
    const took = ofVictim.flatMap((one) => one.took)
    // But for the first calls, which find every cache cold.
    const before = p95(took, START_MS + MINUTE_MS / 2, START_MS + FLOOD_AFTER_MINUTES * MINUTE_MS)
    const harmed = p95(took, foundMs - MINUTE_MS, foundMs)
    expect(harmed).toBeGreaterThan(2.5 * before)
    const throttled = p95(took, throttledMs + MINUTE_MS, Math.min(squeezedMs, quarantinedMs))
    expect(throttled).toBeGreaterThan(0)
    expect(throttled).toBeLessThan(harmed / 1.5)
    const quarantined = p95(took, quarantinedMs + MINUTE_MS, releasedMs)
    expect(quarantined).toBeGreaterThan(0)
    expect(quarantined).toBeLessThan(harmed / 4)

    const own = await audit.page(culprit.scope, { after: 0, limit: 100 })
    expect(own.filter(({ action }) => action === 'neighbours.measure').map(({ details }) => details?.['to'])).toEqual([
      'notify',
      'lower-weight',
      'throttle',
      'quarantine',
      'throttle',
      'lower-weight',
      'notify',
      'none',
    ])
    const affected = await audit.page(victim.scope, { after: 0, limit: 100 })
    expect(affected.map(({ action }) => action)).toEqual(['neighbours.affected', 'neighbours.recovered'])
    expect(affected[0]?.details?.['what']).toBe('Your latency was affected by other load.')
    for (const entries of [affected, own])
      for (const stranger of [culprit, victim, other])
        if (entries !== own || stranger !== culprit) expect(JSON.stringify(entries)).not.toContain(stranger.tenantId)
    expect((await app.platform.controlPlane.tenants.get(culprit.scope))?.measures).toBeUndefined()
  }, 600_000)
})

const noOrchestrations = {
  start: async () => {
    throw new Error('no orchestration is begun here')
  },
} as never
