import { burstSteps, createHourTally, evenMinutes, PROFILE_HOURS } from '../../src/capacity/observed-hours'
import { sizingAt } from '../../src/capacity/provisioned/size-units'
import { offerOf } from '../../src/capacity/provisioned/terms'
import { zeroSums, type UsageGroup, type UsageSums } from '../../src/usage/usage-sums'

const HOUR_MS = 3_600_000
const firstHour = 500_000
const lastHour = firstHour + PROFILE_HOURS - 1
const group: UsageGroup = {
  key: 'key_1',
  alias: 'chat',
  model: 'gpt-4.1',
  operation: 'chat.completions',
  outcome: 'completed',
  backend: 'bke_1',
  deployment: 'd',
  region: 'swedencentral',
}
const sums = (more: Partial<UsageSums>): UsageSums => ({ ...zeroSums(), calls: 1, ...more })
const tally = (minutesFromHour = firstHour) =>
  createHourTally({ fromHour: firstHour, minutesFromHour, outputWeight: 4 })

describe('hours of a deployment', () => {
  it('hold what was not cached, what was answered and what that costs, and are kept for four weeks', () => {
    const seen = tally()
    seen.add(
      firstHour * HOUR_MS,
      group,
      sums({ promptTokens: 100, cachedTokens: 30, outputTokens: 10, costMicroUsd: 9 }),
    )
    seen.add(lastHour * HOUR_MS, group, sums({ promptTokens: 5 }))
    seen.add((firstHour - 1) * HOUR_MS, group, sums({ promptTokens: 1_000 }))
    seen.add(firstHour * HOUR_MS, { ...group, operation: 'batch.chat.completions' }, sums({ promptTokens: 1_000 }))
    const hours = seen.over(undefined, lastHour)
    expect(hours).toMatchObject({ firstHour, model: 'gpt-4.1' })
    expect([hours?.inputTokens[0], hours?.outputTokens[0], hours?.costMicroUsd[0]]).toEqual([70, 10, 9])
    expect([hours?.inputTokens.length, hours?.inputTokens.at(-1)]).toEqual([PROFILE_HOURS, 5])

    const next = tally()
    next.add((lastHour + 1) * HOUR_MS, group, sums({ promptTokens: 7 }))
    const moved = next.over(hours, lastHour + 24)
    expect(moved?.firstHour).toBe(firstHour + 24)
    expect([moved?.inputTokens[PROFILE_HOURS - 25], moved?.inputTokens[PROFILE_HOURS - 24]]).toEqual([5, 7])
  })

  it('are nothing where nothing was ever seen, and stay what they were where nothing new was', () => {
    expect(tally().over(undefined, lastHour)).toBeUndefined()
    const seen = tally()
    seen.add(lastHour * HOUR_MS, group, sums({ promptTokens: 60 }))
    const hours = seen.over(undefined, lastHour)
    expect(tally().over(hours, lastHour)).toEqual(hours)
  })

  it('know how uneven their minutes are, which decides what fits into units', () => {
    const offer = offerOf('gpt-4.1', 'global', undefined)
    const even = tally()
    const oneMinute = tally()
    for (let minute = 0; minute < 60; minute++)
      even.add(lastHour * HOUR_MS + minute * 60_000, group, sums({ promptTokens: 45_000, costMicroUsd: 90_000 }))
    oneMinute.add(lastHour * HOUR_MS, group, sums({ promptTokens: 60 * 45_000, costMicroUsd: 60 * 90_000 }))
    const servedOf = (seen: typeof even) => {
      const hours = seen.over(undefined, lastHour)
      if (!hours || !offer) throw new Error('nothing was seen')
      const { inputTokens: load, costMicroUsd, bursts } = hours
      return sizingAt({ load, costMicroUsd, bursts }, offer, { units: 15, commitment: 'hourly' }).servedShare
    }
    // 15 units take 45,000 a minute: all of it where it comes evenly, a sixtieth where it comes at once.
    expect(servedOf(even)).toBeGreaterThan(0.85)
    expect(servedOf(oneMinute)).toBeLessThan(0.03)
  })

  it('are taken for even where minutes are not known', () => {
    const seen = tally(lastHour + 1)
    seen.add(lastHour * HOUR_MS, group, sums({ promptTokens: 60 }))
    expect(seen.over(undefined, lastHour)?.bursts).toEqual(evenMinutes)
    expect(evenMinutes).toHaveLength(burstSteps.length)
  })
})
