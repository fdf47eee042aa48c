import fc from 'fast-check'
import type { BackendId } from '../../src/base/ids'
import { daysOf, dayStartMs, type Day } from '../../src/billing/calendar'
import type { PriceEntry } from '../../src/billing/price-entry'
import { provisionedHours } from '../../src/billing/provisioned-price'
import { addTokens, idleOf, sharesOf, type HourTokens } from '../../src/billing/share-throughput'
import { itemGroup } from './billing-fixtures'

const day: Day = '2026-02-10'
const HOUR_MS = 3_600_000
const backends: readonly BackendId[] = [`bke_${'1'.repeat(26)}`, `bke_${'2'.repeat(26)}`]

const usage = fc.array(
  fc.record({
    backend: fc.constantFrom(...backends, 'bke_other', null),
    hour: fc.nat(23),
    prompt: fc.nat(50_000),
    output: fc.nat(9_000),
  }),
  { maxLength: 12 },
)
const price = fc.record({
  kind: fc.constantFrom('per-hour' as const, 'per-month' as const),
  microUsd: fc.integer({ min: 0, max: 2_000_000_000_000 }),
})

const entryOf = (
  backendId: BackendId,
  set: PriceEntry & { kind: 'provisioned' } extends { price: infer P } ? P : never,
): PriceEntry => ({
  kind: 'provisioned',
  backendId,
  price: set,
  from: '2026-01-01',
  asOf: '2026-01-01',
  source: 'a contract',
})

function tokensOf(
  prices: ReturnType<typeof provisionedHours>,
  calls: readonly { backend: string | null; hour: number; prompt: number; output: number }[],
) {
  const tokens: HourTokens = new Map()
  for (const { backend, hour, prompt, output } of calls)
    addTokens(tokens, prices, day, {
      startMs: dayStartMs(day) + hour * HOUR_MS,
      groups: [itemGroup({ backend }, { promptTokens: prompt, outputTokens: output })],
    })
  return tokens
}

describe('what provisioned throughput costs', () => {
  it('is shared out to the micro-dollar among those who used it and the platform, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(usage, { maxLength: 8 }), price, price, (tenants, first, second) => {
        const [a = backends[0], b = backends[1]] = backends
        if (!a || !b) throw new Error('two backends are needed')
        const prices = provisionedHours([entryOf(a, first), entryOf(b, second)], day)
        const all = tokensOf(prices, tenants.flat())
        const shares = tenants.map((calls) => sharesOf(tokensOf(prices, calls), all, prices))
        const shared = new Map<BackendId, number>()
        for (const { backendId, microUsd } of shares.flat())
          shared.set(backendId, (shared.get(backendId) ?? 0) + microUsd)
        for (const { backendId, microUsd } of idleOf(all, prices, shared)) {
          const whole = (prices.get(backendId) ?? []).reduce((sum, hour) => sum + hour, 0)
          expect((shared.get(backendId) ?? 0) + microUsd).toBe(whole)
          expect(microUsd).toBeGreaterThanOrEqual(0)
        }
        expect(shares.flat().every(({ microUsd }) => microUsd >= 0)).toBe(true)
        const reversed = tokensOf(prices, tenants.flat().toReversed())
        expect(tenants.map((calls) => sharesOf(tokensOf(prices, calls), reversed, prices))).toEqual(shares)
      }),
    )
  })

  it('goes by the hour to who used it in that hour, and to the platform where nobody did', () => {
    const [id = 'bke_none'] = backends
    const prices = provisionedHours([entryOf(id, { kind: 'per-hour', microUsd: 1_000 })], day)
    const big = tokensOf(prices, [{ backend: id, hour: 3, prompt: 300, output: 0 }])
    const small = tokensOf(prices, [
      { backend: id, hour: 3, prompt: 0, output: 100 },
      { backend: id, hour: 4, prompt: 1, output: 0 },
    ])
    const all = tokensOf(prices, [
      { backend: id, hour: 3, prompt: 300, output: 100 },
      { backend: id, hour: 4, prompt: 1, output: 0 },
    ])
    expect(sharesOf(big, all, prices)).toEqual([{ backendId: id, tokens: 300, microUsd: 750 }])
    expect(sharesOf(small, all, prices)).toEqual([{ backendId: id, tokens: 101, microUsd: 1_250 }])
    expect(idleOf(all, prices, new Map([[id, 2_000]]))).toEqual([{ backendId: id, hours: 22, microUsd: 22_000 }])
  })

  it('for a month runs over its hours to exactly the month’s price', () => {
    const [id = 'bke_none'] = backends
    const monthly = entryOf(id, { kind: 'per-month', microUsd: 2_447_333_333 })
    const hours = daysOf('2026-02').flatMap((each) => [...(provisionedHours([monthly], each).get(id) ?? [])])
    expect(hours).toHaveLength(28 * 24)
    expect(hours.reduce((sum, hour) => sum + hour, 0)).toBe(2_447_333_333)
    expect(Math.max(...hours) - Math.min(...hours)).toBe(1)
  })

  it('does not count cached tokens, which it need not work for', () => {
    const [id = 'bke_none'] = backends
    const prices = provisionedHours([entryOf(id, { kind: 'per-hour', microUsd: 100 })], day)
    const tokens: HourTokens = new Map()
    const sums = { promptTokens: 1_000, cachedTokens: 900, outputTokens: 20 }
    addTokens(tokens, prices, day, { startMs: dayStartMs(day), groups: [itemGroup({ backend: id }, sums)] })
    expect(tokens.get(id)?.[0]).toBe(120)
  })
})
