import fc from 'fast-check'
import { daysOf, type Day } from '../../src/billing/calendar'
import type { Credit, CreditId } from '../../src/billing/credit'
import { itemsOf, type DaySheet } from '../../src/billing/day-sheet'
import { isCarried, sumOf } from '../../src/billing/invoice-line'
import { makeInvoice, rateUsage, type InvoiceInputs } from '../../src/billing/make-invoice'
import { defaultPlan, planInput, type DatedPlan, type Plan } from '../../src/billing/plan'
import { toJsonColumns } from '../../src/storage/json-columns'
import type { UsageGroup } from '../../src/usage/usage-sums'
import { itemGroup } from './billing-fixtures'

const period = '2026-02'
const days = daysOf(period)
const USD = 1_000_000

const base: InvoiceInputs = {
  tenantId: `ten_${'0'.repeat(26)}`,
  period,
  billedTo: 'Contoso',
  served: { from: '2026-02-01', to: '2026-03-01' },
  plans: [],
  storage: [],
  storagePrices: [],
  credits: [],
  carriedOverMicroUsd: 0,
  lateMicroUsd: 0,
}
const since = (plan: unknown, from: Day = '2026-01-01'): DatedPlan => ({ from, plan: planInput.parse(plan) })

/** A call as the log has it, on a day of the month. */
interface Call {
  readonly day: number
  readonly alias: string
  readonly model: string
  readonly operation: string
  readonly outcome: 'completed' | 'interrupted' | 'failed'
  readonly prompt: number
  readonly cached: number
  readonly output: number
  readonly cost: number
}

const call: fc.Arbitrary<Call> = fc.record({
  day: fc.nat(days.length - 1),
  alias: fc.constantFrom('chat', 'search'),
  model: fc.constantFrom('gpt-4.1', 'gpt-4.1-2025-04-14', 'o3'),
  operation: fc.constantFrom(
    'chat.completions',
    'batch.chat.completions',
    'fine_tuning.training',
    'fine_tuning.hosting',
  ),
  outcome: fc.constantFrom('completed', 'interrupted', 'failed'),
  prompt: fc.nat(200_000),
  cached: fc.nat(200_000),
  output: fc.nat(50_000),
  cost: fc.nat(5_000_000),
})

const sheetsOf = (calls: readonly Call[]): DaySheet[] =>
  [...Map.groupBy(calls, ({ day }) => day)]
    .sort(([a], [b]) => a - b)
    .map(([day, group]) => ({
      day: days[day] ?? '2026-02-01',
      items: itemsOf(
        group.map(({ alias, model, operation, outcome, prompt, cached, output, cost }) =>
          itemGroup(
            { alias, model, operation, outcome },
            { promptTokens: prompt, cachedTokens: Math.min(cached, prompt), outputTokens: output, costMicroUsd: cost },
          ),
        ),
        () => 'metered',
      ),
      provisioned: [],
    }))

const halfUp = (numerator: number, denominator: number) => Math.floor((2 * numerator + denominator) / (2 * denominator))
const isBilled = ({ outcome }: Call) => outcome !== 'failed'
const isInference = ({ operation }: Call) => operation === 'chat.completions'
const total = <T>(list: readonly T[], of: (item: T) => number) => list.reduce((sum, item) => sum + of(item), 0)

/** What the plan says of the calls, reckoned from the calls themselves: no sheets, no lines, no segments. */
function expectedOf(plan: Plan, calls: readonly Call[]): number {
  const billed = calls.filter(isBilled)
  const inference = billed.filter(isInference)
  const services = [
    ...Map.groupBy(
      billed.filter((each) => !isInference(each)),
      ({ alias, model, operation }) => `${alias} ${model} ${operation}`,
    ),
  ]
  const markUps: Record<string, number> = {
    'batch.chat.completions': plan.services.batch,
    'fine_tuning.training': plan.services.training,
    'fine_tuning.hosting': plan.services.hosting,
  }
  const beside = total(services, ([, group]) =>
    halfUp(total(group, ({ cost }) => cost) * (10_000 + (markUps[group[0]?.operation ?? ''] ?? 0)), 10_000),
  )
  return beside + inferenceOf(plan, inference, beside)
}

function inferenceOf(plan: Plan, calls: readonly Call[], beside: number): number {
  switch (plan.kind) {
    case 'per-request': {
      let sum = 0
      let below = 0
      for (const { upToRequests, microUsdPerRequest } of plan.tiers) {
        for (let n = below; n < Math.min(calls.length, upToRequests ?? Infinity); n++) sum += microUsdPerRequest
        below = upToRequests ?? below
      }
      return sum
    }
    case 'per-token':
      return tokensOf(plan, calls)
    case 'minimum':
      return Math.max(plan.microUsdPerMonthMin - beside, tokensOf(plan, calls))
    case 'subscription': {
      const { quota } = plan
      if (quota.kind === 'requests')
        return plan.microUsdPerMonth + Math.max(0, calls.length - quota.included) * quota.microUsdPerRequest
      const tokens = total(calls, ({ prompt, output }) => prompt + output)
      return plan.microUsdPerMonth + halfUp(Math.max(0, tokens - quota.included) * quota.microUsdPerMillion, 1_000_000)
    }
  }
}

function tokensOf(plan: Extract<Plan, { kind: 'per-token' | 'minimum' }>, calls: readonly Call[]): number {
  const groups = [...Map.groupBy(calls, ({ alias, model }) => `${alias} ${model}`).values()]
  return total(groups, (group) => {
    const model = group[0]?.model ?? ''
    const own = plan.models[model] ?? plan.models[model.replace('-2025-04-14', '')]
    if (!own) return halfUp(total(group, ({ cost }) => cost) * (10_000 + plan.markUpBasisPoints), 10_000)
    const cached = total(group, (each) => Math.min(each.cached, each.prompt))
    const rest = total(group, ({ prompt }) => prompt) - cached
    const output = total(group, (each) => each.output)
    return halfUp(rest * own.input + cached * (own.cachedInput ?? own.input) + output * own.output, 1_000_000)
  })
}

const markUp = fc.integer({ min: -10_000, max: 50_000 })
const services = fc.record({ batch: markUp, training: markUp, hosting: markUp })
const tokenPricing = {
  markUpBasisPoints: markUp,
  models: fc.dictionary(
    fc.constantFrom('gpt-4.1', 'o3'),
    fc.record(
      { input: fc.nat(9_000_000), cachedInput: fc.nat(900_000), output: fc.nat(20_000_000) },
      { requiredKeys: ['input', 'output'] },
    ),
  ),
}
const tiers = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
    fc.array(fc.nat(50_000), { minLength: 4, maxLength: 4 }),
  )
  .map(([bounds, prices]) =>
    [...bounds.sort((a, b) => a - b), null].map((upToRequests, i) => ({
      upToRequests,
      microUsdPerRequest: prices[i] ?? 0,
    })),
  )
const anyPlan: fc.Arbitrary<Plan> = fc
  .oneof(
    fc.record({ kind: fc.constant('per-request'), tiers, services }),
    fc.record({ kind: fc.constant('per-token'), ...tokenPricing, services }),
    fc.record({ kind: fc.constant('minimum'), microUsdPerMonthMin: fc.nat(200 * USD), ...tokenPricing, services }),
    fc.record({
      kind: fc.constant('subscription'),
      microUsdPerMonth: fc.nat(500 * USD),
      quota: fc.oneof(
        fc.record({ kind: fc.constant('tokens'), included: fc.nat(2_000_000), microUsdPerMillion: fc.nat(9_000_000) }),
        fc.record({ kind: fc.constant('requests'), included: fc.nat(40), microUsdPerRequest: fc.nat(9_000) }),
      ),
      services,
    }),
  )
  .map((plan) => planInput.parse(plan))

const credits = fc.array(
  fc.record({
    kind: fc.constantFrom('credit' as const, 'charge' as const),
    microUsd: fc.integer({ min: 1, max: 400 * USD }),
  }),
  { maxLength: 4 },
)
const creditOf = ({ kind, microUsd }: Pick<Credit, 'kind' | 'microUsd'>, i: number): Credit => ({
  id: `crd_${i}` satisfies CreditId,
  kind,
  microUsd,
  reason: 'agreed',
  by: 'an operator',
  createdAt: 0,
})

describe('an invoice', () => {
  it('has lines that add up to its total, which is what its records come to under any plan, to the micro-dollar', () => {
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 60 }),
        anyPlan,
        credits,
        fc.nat(50 * USD),
        fc.nat(9 * USD),
        (calls, plan, given, carried, late) => {
          const inputs: InvoiceInputs = {
            ...base,
            plans: [{ from: '2026-01-01', plan }],
            credits: given.map(creditOf),
            carriedOverMicroUsd: carried,
            lateMicroUsd: late,
          }
          const { lines, totalMicroUsd, carriedForwardMicroUsd, revenueMicroUsd, cost } = makeInvoice(
            inputs,
            sheetsOf(calls),
          )
          const byHand = total(given, ({ kind, microUsd }) => (kind === 'credit' ? -microUsd : microUsd))
          const due = expectedOf(plan, calls) + byHand + late - carried

          expect(totalMicroUsd).toBe(Math.max(0, due))
          expect(carriedForwardMicroUsd).toBe(Math.max(0, -due))
          expect(sumOf(lines)).toBe(totalMicroUsd)
          expect(sumOf(lines.filter((line) => !isCarried(line)))).toBe(revenueMicroUsd)
          expect(lines.every(({ microUsd, quantity }) => Number.isSafeInteger(microUsd) && quantity >= 0)).toBe(true)
          // What failed brought the tenant nothing, and cost the platform all the same.
          expect(cost.totalMicroUsd).toBe(total(calls, (each) => each.cost))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is the same, byte for byte, whenever it is made of the same records, in whatever pieces and order they come', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 40 }), anyPlan, (calls, plan) => {
        const inputs: InvoiceInputs = { ...base, plans: [{ from: '2026-01-01', plan }] }
        const once = JSON.stringify(makeInvoice(inputs, sheetsOf(calls)))
        expect(JSON.stringify(makeInvoice(inputs, sheetsOf(calls.toReversed())))).toBe(once)
        const stored = {
          inputs: JSON.parse(JSON.stringify(inputs)),
          sheets: JSON.parse(JSON.stringify(sheetsOf(calls))),
        }
        expect(JSON.stringify(makeInvoice(stored.inputs, stored.sheets))).toBe(once)
      }),
    )
  })

  it('counts each day under the plan of that day, and monthly amounts by days', () => {
    const monthly = {
      kind: 'subscription',
      microUsdPerMonth: 28 * USD,
      quota: { kind: 'requests', included: 28, microUsdPerRequest: USD },
    }
    const plans = [
      since(monthly),
      since({ kind: 'per-request', tiers: [{ upToRequests: null, microUsdPerRequest: 2 * USD }] }, '2026-02-11'),
    ]
    const calls = (day: number, count: number): Call[] =>
      Array.from({ length: count }, () => ({
        day,
        alias: 'chat',
        model: 'o3',
        operation: 'chat.completions',
        outcome: 'completed',
        prompt: 1,
        cached: 0,
        output: 1,
        cost: 7,
      }))
    const { lines } = makeInvoice({ ...base, plans }, sheetsOf([...calls(9, 12), ...calls(10, 5)]))
    expect(lines.map(({ kind, from, to, quantity, microUsd }) => [kind, from, to, quantity, microUsd / USD])).toEqual([
      ['subscription', '2026-02-01', '2026-02-11', 1, 10],
      ['overage', '2026-02-01', '2026-02-11', 2, 2],
      ['requests', '2026-02-11', '2026-03-01', 5, 10],
    ])
  })

  it('has fees only for days on which the tenant was one', () => {
    const fee = since({
      kind: 'subscription',
      microUsdPerMonth: 28 * USD,
      quota: { kind: 'tokens', included: 28, microUsdPerMillion: 0 },
    })
    const served = { from: '2026-02-08', to: '2026-02-15' } as const
    expect(makeInvoice({ ...base, plans: [fee], served }, []).totalMicroUsd).toBe(7 * USD)
  })

  it('is at list price where no plan was ever set', () => {
    const { lines } = makeInvoice(
      base,
      sheetsOf([
        {
          day: 0,
          alias: 'chat',
          model: 'o3',
          operation: 'chat.completions',
          outcome: 'completed',
          prompt: 5,
          cached: 0,
          output: 1,
          cost: 1_234,
        },
      ]),
    )
    expect(defaultPlan).toMatchObject({ kind: 'per-token', markUpBasisPoints: 0 })
    expect(lines).toMatchObject([
      { kind: 'inference', alias: 'chat', quantity: 6, listMicroUsd: 1_234, microUsd: 1_234 },
    ])
  })

  it('says which calls had no price, and bills them at nothing', () => {
    const items = itemsOf(
      [itemGroup({ model: 'new-model' }, { calls: 3, unpriced: 3, promptTokens: 9 })],
      () => 'metered',
    )
    const { lines } = makeInvoice(base, [{ day: '2026-02-02', items, provisioned: [] }])
    expect(lines).toMatchObject([{ model: 'new-model', quantity: 9, unpriced: 3, microUsd: 0 }])
  })

  it('has storage by the day, at the day’s price, once rounded; a day without a measure is as the one before', () => {
    const GIB = 1_073_741_824
    const price = (from: Day, microUsdPerGibMonth: number, to?: Day) =>
      ({ kind: 'storage', microUsdPerGibMonth, from, ...(to ? { to } : {}), asOf: from, source: 'ours' }) as const
    const storage = [
      { day: '2026-01-31', bytes: GIB },
      { day: '2026-02-15', bytes: 3 * GIB },
      { day: '2026-02-20', bytes: 0 },
    ] as const
    const storagePrices = [price('2026-01-01', 28_000, '2026-02-08'), price('2026-02-08', 56_000)]
    const plans = [since({ kind: 'per-token', services: { storage: 5_000 } })]
    const { lines, cost } = makeInvoice({ ...base, plans, storage, storagePrices }, [])
    // 7 days at 1,000 and 7 at 2,000 of one GiB, then 5 at 2,000 of three; half as much on top.
    expect(cost.storageMicroUsd).toBe(7 * 1_000 + 7 * 2_000 + 5 * 3 * 2_000)
    expect(lines).toMatchObject([{ kind: 'storage', quantity: (14 + 15) * GIB, microUsd: 51_000 * 1.5 }])
  })
})

describe('a day of very many aliases', () => {
  it('has a bounded sheet, in which nothing is missing', () => {
    const groups = Array.from({ length: 5_000 }, (_, i) =>
      itemGroup({ alias: `alias-${i}`, model: i % 2 ? 'o3' : 'gpt-4.1' }, { promptTokens: i, costMicroUsd: 2 * i }),
    )
    const items = itemsOf(groups, () => 'metered')
    expect(items).toHaveLength(702)
    expect(itemsOf(groups.toReversed(), () => 'metered')).toEqual(items)
    expect(total(items, ({ promptTokens }) => promptTokens)).toBe((4_999 * 5_000) / 2)
    expect(total(items, ({ costMicroUsd }) => costMicroUsd)).toBe(4_999 * 5_000)
    expect(items.slice(-2).map(({ alias, model }) => [alias, model])).toEqual([
      ['(others)', expect.any(String)],
      ['(others)', expect.any(String)],
    ])
  })
})

describe('what has the longest names', () => {
  const named = (i: number, more: Partial<UsageGroup> = {}) =>
    itemGroup(
      { alias: `${i}`.padEnd(64, 'a'), model: `${i % 7}`.padEnd(100, 'm'), ...more },
      { promptTokens: 10 ** 12 + i, outputTokens: 10 ** 12, cachedTokens: 10 ** 11, costMicroUsd: 10 ** 12 + 3 * i },
    )
  const days = ['2026-02-03', '2026-02-04', '2026-02-20'] as const
  const sheets: DaySheet[] = days.map((day, at) => ({
    day,
    items: itemsOf(
      Array.from({ length: 1_400 }, (_, i) =>
        named(10_000 * at + i, i % 2 ? { operation: 'batch.chat.completions' } : {}),
      ),
      () => 'own-account',
    ),
    provisioned: [],
  }))

  const asOthers = { kind: 'per-token', ownAccount: 'as-others' }
  const twoPlans = [since(asOthers), since({ ...asOthers, markUpBasisPoints: 500 }, '2026-02-10')]

  it('fits a row of storage, as a day and as an invoice with all the credits that it may have', () => {
    for (const sheet of sheets) expect(() => toJsonColumns(sheet)).not.toThrow()
    const credits = Array.from({ length: 100 }, (_, i): Credit => ({
      id: `crd_${i}`,
      kind: 'credit',
      microUsd: 1,
      reason: 'r'.repeat(300),
      by: 'an operator',
      createdAt: 0,
    }))
    const inputs = { ...base, credits, plans: twoPlans }
    const made = makeInvoice(inputs, sheets)
    expect(() => toJsonColumns({ inputs, made, sheetsSha256: 'f'.repeat(64), issuedAt: 0 })).not.toThrow()
  })

  it('comes to the same on an invoice that has no room for all its lines', () => {
    const inputs = { ...base, plans: twoPlans }
    const all = rateUsage(inputs, sheets)
    const { lines, totalMicroUsd } = makeInvoice(inputs, sheets)
    expect(lines.length).toBeLessThan(all.length)
    expect(totalMicroUsd).toBe(sumOf(all))
    expect(sumOf(lines.map(({ quantity }) => ({ microUsd: quantity })))).toBe(
      sumOf(all.map(({ quantity }) => ({ microUsd: quantity }))),
    )
    expect(lines.at(-1)).toMatchObject({ text: expect.stringMatching(/^\d+ further lines/), from: '2026-02-10' })
  })
})

describe('where calls were served', () => {
  const items = (['metered', 'provisioned', 'own-account'] as const).flatMap((placement) =>
    itemsOf([itemGroup({ alias: placement }, { promptTokens: 10, costMicroUsd: 100 })], () => placement),
  )
  const sheet: DaySheet = {
    day: '2026-02-03',
    items,
    provisioned: [{ backendId: `bke_${'1'.repeat(26)}`, tokens: 10, microUsd: 40 }],
  }
  const billed = (plan: object) =>
    makeInvoice({ ...base, plans: [since({ kind: 'per-token', ...plan })] }, [sheet]).lines.map(
      ({ kind, alias, microUsd }) => [alias ?? kind, microUsd],
    )

  it('provisioned throughput is billed by use or by its cost, never both', () => {
    expect(billed({})).toEqual([
      ['metered', 100],
      ['provisioned', 100],
    ])
    expect(billed({ provisioned: 'by-cost', services: { provisioned: 10_000 } })).toEqual([
      ['metered', 100],
      ['provisioned', 80],
    ])
  })

  it('the tenant’s own account is billed only where the plan says so, and costs the platform nothing', () => {
    expect(billed({ ownAccount: 'as-others' })).toContainEqual(['own-account', 100])
    expect(makeInvoice(base, [sheet]).cost).toMatchObject({
      callsMicroUsd: 100,
      provisionedMicroUsd: 40,
      totalMicroUsd: 140,
    })
  })
})
