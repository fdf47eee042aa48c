import fc from 'fast-check'
import type { TenantId } from '../../src/base/ids'
import { WAIT_MS_MAX } from '../../src/fairness/queue-bounds'
import { leakyBucket, minuteWindow } from './fair-queue/buckets'
import { between, market, quantile, seeded, shares, type Outcome, type Tenant } from './fair-queue/market'

const TOKENS_PER_MINUTE = 600_000
/** For each instance; a call should cost little of what an instance lets pass in a moment, as on deployments that tenants share. */
const FLOODED_TOKENS_PER_MINUTE = 2_400_000
const MINUTE_MS = 60_000

/** Calls of 240 to 1,000 used tokens that reserve up to five times as many. */
function tenant(fraction: () => number, id: TenantId, callsPerSecond: number, more: Partial<Tenant> = {}): Tenant {
  const used = () => between(fraction, 240, 1_000)
  return { id, weight: 1, callsPerSecond, estimate: () => between(fraction, 1_000, 1_500), used, ...more }
}

const town = (fraction: () => number, tenants: readonly Tenant[], forMs: number) => ({
  bucket: leakyBucket(TOKENS_PER_MINUTE),
  tenants,
  forMs,
  callMs: () => between(fraction, 600, 1_400),
  fraction,
})

const not = (id: TenantId) => (outcome: Outcome) => outcome.tenantId !== id
const waitsOf = (outcomes: readonly Outcome[]) => outcomes.map(({ arrivedMs, endedWaitMs }) => endedWaitMs - arrivedMs)
const timesOf = (outcomes: readonly Outcome[]) => outcomes.map(({ arrivedMs, doneMs }) => doneMs - arrivedMs)

describe('tenants that all want more than the backend has', () => {
  it('get shares within 5 % of their weights, whatever their arrivals and the sizes of their calls', async () => {
    const weights = fc.array(fc.constantFrom(0.25, 1, 2, 4), { minLength: 2, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(weights, fc.integer(), async (weights, seed) => {
        const fraction = seeded(seed)
        const tenants = weights.map((weight, i) => {
          const size = between(fraction, 200, 2_000)
          // Each alone would take all of the backend, three to six times over.
          const callsPerSecond = ((TOKENS_PER_MINUTE / 60) * (3 + 3 * fraction())) / size
          const estimate = () => between(fraction, size, 3 * size)
          const used = () => between(fraction, size / 2, (3 * size) / 2)
          return tenant(fraction, `ten_${i}`, callsPerSecond, { weight, estimate, used })
        })
        const { outcomes } = await market(town(fraction, tenants, 8 * MINUTE_MS))
        // The first minutes fill the backend's bucket and teach the pace.
        const got = shares(outcomes, 2 * MINUTE_MS, 8 * MINUTE_MS)
        const all = [...got.values()].reduce((sum, tokens) => sum + tokens, 0)
        const weightOfAll = weights.reduce((sum, weight) => sum + weight, 0)
        for (const { id, weight } of tenants) {
          const deserved = weight / weightOfAll
          expect(Math.abs((got.get(id) ?? 0) / all / deserved - 1)).toBeLessThan(0.05)
        }
      }),
      { numRuns: 6 },
    )
  })

  it('use at least 95 % of what the backend has', async () => {
    const fraction = seeded(7)
    const tenants = [tenant(fraction, 'ten_a', 30), tenant(fraction, 'ten_b', 60)]
    const { outcomes } = await market(town(fraction, tenants, 10 * MINUTE_MS))
    const got = shares(outcomes, 2 * MINUTE_MS, 10 * MINUTE_MS)
    const all = [...got.values()].reduce((sum, tokens) => sum + tokens, 0)
    expect(all).toBeGreaterThan(0.95 * 8 * TOKENS_PER_MINUTE)
    expect(all).toBeLessThan(1.02 * 8 * TOKENS_PER_MINUTE)
  })
})

const buckets = { provisioned: leakyBucket, 'pay-as-you-go': minuteWindow }

describe('a tenant that floods at twenty times its share', () => {
  interface Case {
    readonly seed: number
    readonly flood?: boolean
    readonly kind?: keyof typeof buckets
    readonly instances?: number
  }

  /** Four tenants of equal weight: three take a third of their share each, the fourth twenty times its own. */
  const flooded = async ({ seed, flood = true, kind = 'provisioned', instances = 1 }: Case) => {
    const fraction = seeded(seed)
    // Pay-as-you-go counts what calls reserve.
    const perCall = kind === 'provisioned' ? 620 : 1_250
    const tokensPerMinute = FLOODED_TOKENS_PER_MINUTE * instances
    const share = tokensPerMinute / 60 / perCall / 4
    const others = (['ten_a', 'ten_b', 'ten_c'] as const).map((id) => tenant(fraction, id, share / 3))
    const tenants = flood ? [...others, tenant(fraction, 'ten_flood', 20 * share, { fromMs: MINUTE_MS })] : others
    const bucket = buckets[kind](tokensPerMinute)
    return market({ ...town(fraction, tenants, 6 * MINUTE_MS), bucket, instances })
  }

  const cases = (['provisioned', 'pay-as-you-go'] as const).flatMap((kind) =>
    [1, 2].flatMap((seed) => [1, 2].map((instances) => ({ kind, seed, instances }))),
  )

  it.each(cases)(
    'raises the p95 of the others by at most a tenth and has none of them refused ($kind, $instances instances, seed $seed)',
    async (case_) => {
      const [without, withFlood] = [await flooded({ ...case_, flood: false }), await flooded(case_)]
      const others = withFlood.outcomes.filter(not('ten_flood'))
      expect(others.filter(({ kind }) => kind === 'refused')).toEqual([])
      // The flood's first minute has used up what there was to spare before anything said so.
      const later = others.filter(({ arrivedMs }) => arrivedMs > 2 * MINUTE_MS)
      expect(quantile(timesOf(later), 0.95)).toBeLessThan(1.1 * quantile(timesOf(without.outcomes), 0.95))
    },
  )

  it('is served with what the others leave, and refused the rest with waits that come true', async () => {
    const { outcomes } = await flooded({ seed: 4 })
    const late = outcomes.filter(({ arrivedMs }) => arrivedMs > 3 * MINUTE_MS)
    const flood = late.filter(({ tenantId }) => tenantId === 'ten_flood')
    const refused = flood.filter(({ kind }) => kind === 'refused')
    const got = shares(outcomes, 3 * MINUTE_MS, 6 * MINUTE_MS)
    const all = [...got.values()].reduce((sum, tokens) => sum + tokens, 0)
    expect(all).toBeGreaterThan(0.95 * 3 * FLOODED_TOKENS_PER_MINUTE)
    expect(refused.length).toBeGreaterThan(0.7 * flood.length)
    const told = quantile(
      refused.map(({ retryAfterMs }) => retryAfterMs),
      0.5,
    )
    const waited = quantile(waitsOf(flood.filter(({ kind }) => kind === 'served')), 0.5)
    expect(told).toBeGreaterThan(0.6 * waited)
    expect(told).toBeLessThan(1.3 * waited)
  })

  it('never makes any call wait longer than the bound, nor leaves one without an answer', async () => {
    const { outcomes, waiting, turns, releases } = await flooded({ seed: 5 })
    expect(Math.max(...waitsOf(outcomes))).toBeLessThan(WAIT_MS_MAX + 1)
    expect(waiting).toBe(0)
    expect(releases).toBe(turns)
  })

  it('starves nobody: a tenant with a hundredth of its weight is served all the time', async () => {
    const fraction = seeded(6)
    const small = tenant(fraction, 'ten_small', 0.05, { weight: 0.01, used: () => 240, estimate: () => 240 })
    const flood = tenant(fraction, 'ten_flood', 300)
    const { outcomes } = await market(town(fraction, [small, flood], 30 * MINUTE_MS))
    const served = outcomes.filter(({ tenantId, kind }) => tenantId === 'ten_small' && kind === 'served')
    for (let minute = 3; minute < 30; minute += 3) {
      const within = ({ doneMs }: Outcome) => doneMs >= minute * MINUTE_MS && doneMs < (minute + 3) * MINUTE_MS
      expect(served.filter(within).length).toBeGreaterThan(0)
    }
  })
})
