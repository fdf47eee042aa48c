import { creditInput } from '../../src/billing/credit'
import { datedPlanInput, planInput } from '../../src/billing/plan'
import { billingWorld } from './billing-world'

const tier = (upToRequests: number | null, microUsdPerRequest = 1) => ({ upToRequests, microUsdPerRequest })
const perRequest = (...tiers: object[]) => ({ kind: 'per-request', tiers })
const faultsOf = (plan: object) =>
  planInput.safeParse(plan).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)

describe('a plan', () => {
  it.each([
    [[tier(100), tier(50), tier(null)], 'tiers.1.upToRequests: Must be more than 100, the tier before'],
    [[tier(100), tier(100), tier(null)], 'tiers.1.upToRequests: Must be more than 100, the tier before'],
    [[tier(100)], 'tiers.0.upToRequests: Must be null: the last tier is for all further requests'],
    [[tier(null), tier(null)], 'tiers.0.upToRequests: Must be null in the last tier only'],
    [[tier(10, -1), tier(null)], 'tiers.0.microUsdPerRequest: Too small: expected number to be >=0'],
    [[], 'tiers: Too small: expected array to have >=1 items'],
  ])('with tiers %j is refused: %s', (tiers, fault) => {
    expect(faultsOf(perRequest(...tiers))).toEqual([fault])
  })

  it('with amounts below nothing, or a discount of more than all, is refused', () => {
    expect(faultsOf({ kind: 'minimum', microUsdPerMonthMin: -1 })).toHaveLength(1)
    expect(faultsOf({ kind: 'per-token', markUpBasisPoints: -10_001 })).toHaveLength(1)
    expect(faultsOf({ kind: 'per-token', models: { 'gpt-4.1': { input: -1, output: 1 } } })).toHaveLength(1)
    expect(creditInput.safeParse({ kind: 'credit', microUsd: -5, reason: 'x' }).success).toBe(false)
    expect(creditInput.safeParse({ kind: 'credit', microUsd: 0, reason: 'x' }).success).toBe(false)
  })

  it('holds from its day on; one of the same day takes its place', async () => {
    const world = await billingWorld('2026-03-10T12:00:00Z')
    const scope = world.scopeOf(world.newTenant('2026-01-01T00:00:00Z'))
    const set = (from: string, microUsdPerMonthMin: number) =>
      world.plans.set(scope, datedPlanInput.parse({ from, plan: { kind: 'minimum', microUsdPerMonthMin } }), () => true)
    await set('2026-05-01', 5)
    await set('2026-03-05', 3)
    expect(await set('2026-05-01', 6)).toMatchObject({
      version: 3,
      plans: [
        { from: '2026-03-05', plan: { microUsdPerMonthMin: 3 } },
        { from: '2026-05-01', plan: { microUsdPerMonthMin: 6 } },
      ],
    })
    expect(await set('2027-03-12', 1)).toMatchObject({ code: 'invalid_request', param: 'from' })
    expect(
      await world.plans.set(
        scope,
        datedPlanInput.parse({ from: '2026-06-01', plan: perRequest(tier(null)) }),
        (version) => version === 1,
      ),
    ).toMatchObject({ code: 'precondition_failed' })
    expect(await world.plans.read(scope)).toMatchObject({ version: 3 })
  })
})
