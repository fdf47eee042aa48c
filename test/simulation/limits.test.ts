import type { AdmissionRequest } from '../../src/limits/limiter'
import { stormy } from './limits/simulated-store'
import { town, type Instance, type Town } from './limits/town'

const WINDOW_MS = 60_000
const limits = { requestsPerMinute: 600, tokensPerMinute: 240_000, concurrentCalls: 60 }
const request = (tokens: number, more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  tenantId: 'ten_a',
  limits,
  key: undefined,
  tokens,
  ...more,
})

const between = (town: Town, low: number, high: number) => Math.floor(low + town.chance.fraction() * (high - low))

interface Load {
  readonly forMs: number
  /** Calls offered in each step of 100 ms over all instances, on average. */
  readonly callsPerStep: number
  readonly tokens: () => number
  readonly holdMs: () => number
  /** Share of the estimate that a call really uses. */
  readonly usedShare: () => number
  readonly eachStep?: (elapsedMs: number) => void
}

const STEP_MS = 100

async function run(town: Town, instances: Instance[], load: Load): Promise<void> {
  const pending: Promise<unknown>[] = []
  for (let elapsedMs = 0; elapsedMs < load.forMs; elapsedMs += STEP_MS) {
    load.eachStep?.(elapsedMs)
    const calls = Math.floor(load.callsPerStep * 2 * town.chance.fraction() + 0.5)
    for (let i = 0; i < calls; i++) {
      const instance = instances[between(town, 0, instances.length)]
      if (!instance) continue
      const tokens = load.tokens()
      const used = Math.floor(tokens * load.usedShare())
      pending.push(town.call(instance, request(tokens), { holdMs: load.holdMs(), used }))
    }
    await town.clock.advance(STEP_MS)
  }
  await town.clock.advance(10_000)
  await Promise.all(pending)
}

async function close(town: Town, instances: readonly Instance[]): Promise<void> {
  const closing = Promise.all(instances.map(({ limiter }) => limiter.close()))
  await town.clock.advance(20_000)
  await closing
}

/**
 * How fast whole limits were used up, against one a minute. Full load fills the window in a burst and then waits for it to
 * leave, so the time is taken from one fill to the same point of the fifth after it.
 */
function usableShare({ history }: Town): number {
  const fills = 5
  const almost = limits.tokensPerMinute * 0.99
  const tookMs = history.reachedAtMs(fills * limits.tokensPerMinute + almost) - history.reachedAtMs(almost)
  return (fills * WINDOW_MS) / tookMs
}

describe.each([1, 2, 4])('%i instances under more load than the limits allow', (count) => {
  it.each([1, 2])('admit never above a limit in any 60 s and use at least 95 %% of it (seed %i)', async (seed) => {
    const place = town(seed)
    const instances = Array.from({ length: count }, (_, i) => place.start(count === 1 ? 0 : i * 60 - 120))
    await run(place, instances, {
      forMs: 345_000,
      callsPerStep: 3,
      tokens: () => between(place, 100, 900),
      holdMs: () => between(place, 100, 3_000),
      usedShare: () => 1,
    })
    const peaks = place.history.peaks(WINDOW_MS)
    await close(place, instances)

    expect(peaks.requests).toBeLessThanOrEqual(limits.requestsPerMinute)
    expect(peaks.tokens).toBeLessThanOrEqual(limits.tokensPerMinute)
    expect(peaks.calls).toBeLessThanOrEqual(limits.concurrentCalls)
    expect(usableShare(place)).toBeGreaterThanOrEqual(0.95)
  })
})

describe('in a storm of lost answers, late writes, crashes and restarts', () => {
  it.each([11, 12, 13])('no 60 s hold more than the limits (seed %i)', async (seed) => {
    const place = town(seed)
    place.weather = stormy
    const skew = () => between(place, -250, 250)
    const instances = [place.start(skew()), place.start(skew()), place.start(skew())]
    await run(place, instances, {
      forMs: 240_000,
      callsPerStep: 3,
      tokens: () => between(place, 50, 1_500),
      holdMs: () => between(place, 100, 8_000),
      usedShare: () => place.chance.fraction(),
      eachStep: () => {
        if (place.chance.fraction() > 0.005) return
        const victim = between(place, 0, instances.length)
        instances[victim]?.crash()
        instances[victim] = place.start(skew())
      },
    })
    const peaks = place.history.peaks(WINDOW_MS)
    expect(place.history.calls.length).toBeGreaterThan(limits.requestsPerMinute)
    expect(peaks.requests).toBeLessThanOrEqual(limits.requestsPerMinute)
    expect(peaks.tokens).toBeLessThanOrEqual(limits.tokensPerMinute)
  })
})
