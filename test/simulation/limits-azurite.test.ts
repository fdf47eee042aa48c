import { AdmissionHistory } from './limits/admission-history'
import { seededChance } from './limits/simulated-store'
import { call, limits, street } from '../limits/rows-on-azurite'

const WINDOW_MS = 60_000
const STEP_MS = 250
const RUN_MS = 150_000

describe('instances around a real table', () => {
  it.each([
    { count: 1, seed: 1 },
    { count: 2, seed: 2 },
    { count: 4, seed: 3 },
  ])('admit never above a limit in any 60 s ($count instances, seed $seed)', async ({ count, seed }) => {
    const { open, clock, pass, meanwhile } = await street()
    const chance = seededChance(seed)
    const history = new AdmissionHistory()
    const houses = Array.from({ length: count }, (_, i) => open({ skewMs: i * 100 - 150 }))
    const calls: Promise<void>[] = []

    const one = async () => {
      const house = houses[Math.floor(chance.fraction() * count)]
      const tokens = 100 + Math.floor(chance.fraction() * 2_000)
      const used = Math.floor(tokens * chance.fraction())
      const holdMs = chance.fraction() * 4_000
      const result = await house?.limiter.admit(call({ tokens }))
      if (result?.kind !== 'admitted') return
      const admitted = history.admitted(clock.now(), tokens)
      await clock.sleep(holdMs)
      admitted.settledAtMs = clock.now()
      admitted.usedTokens = used
      result.admission.settle(used)
    }
    for (let elapsedMs = 0; elapsedMs < RUN_MS; elapsedMs += STEP_MS) {
      for (let i = Math.floor(chance.fraction() * 3); i > 0; i--) calls.push(one())
      await pass(STEP_MS)
    }
    await meanwhile(Promise.all(calls))
    await meanwhile(Promise.all(houses.map(({ limiter }) => limiter.close())))

    const peaks = history.peaks(WINDOW_MS)
    expect(peaks.requests).toBeLessThanOrEqual(limits.requestsPerMinute)
    expect(peaks.tokens).toBeLessThanOrEqual(limits.tokensPerMinute)
    expect(peaks.calls).toBeLessThanOrEqual(limits.concurrentCalls)
    expect(history.calls.length).toBeGreaterThan(2 * limits.requestsPerMinute)
  })
})
