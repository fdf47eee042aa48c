import { Problem } from '../../src/base/problem'
import { faultOfChange } from '../../src/billing/price-changes'
import { faultsOfEntries, priceEntriesInput, type PriceEntry } from '../../src/billing/price-entry'
import type { Day } from '../../src/billing/calendar'
import { estimatePrice } from '../../src/datasets/estimate-price'
import { hostingPrices } from '../../src/hosting/hosting-prices'
import { createPriceBook } from '../../src/metering/price-book'
import { noTokens } from '../../src/metering/usage-record'
import { billingWorld } from './billing-world'

const anyVersion = () => true
const noted = { asOf: '2026-01-01', source: 'a contract' } as const
const tokens = (model: string, from: Day, to?: Day, input = 1_000_000): PriceEntry => ({
  kind: 'tokens',
  model,
  input,
  output: 3_000_000,
  from,
  ...(to ? { to } : {}),
  ...noted,
})
const open = () => '2026-03-01' as const
const MILLION = { ...noTokens, promptTokens: 1_000_000 }

describe('a list of prices', () => {
  it('in which periods of one thing overlap is refused, with both of them named', () => {
    const entries = [
      tokens('o3', '2026-05-01'),
      tokens('gpt-4.1', '2026-04-01'),
      tokens('o3', '2026-04-01', '2026-05-02'),
    ]
    expect(faultsOfEntries(entries)).toMatchObject({
      code: 'invalid_request',
      errors: [
        {
          path: 'entries.0.from',
          message: 'Overlaps entries.2: tokens of o3 from 2026-04-01 to 2026-05-02 and tokens of o3 from 2026-05-01',
        },
      ],
    })
    expect(faultsOfEntries([tokens('o3', '2026-05-01'), tokens('o3', '2026-04-01', '2026-05-01')])).toBeUndefined()
  })

  it('says of every fault where it is', () => {
    const faults = faultsOfEntries([
      tokens('a', '2026-05-02', '2026-05-02'),
      tokens('b', '2026-04-01'),
      tokens('b', '2026-04-01'),
    ])
    expect(faults?.errors?.map(({ path }) => path)).toEqual(['entries.0.to', 'entries.2.from'])
  })

  it.each([
    ['a negative amount', { ...tokens('o3', '2026-04-01'), input: -1 }],
    ['a part of a micro-dollar', { ...tokens('o3', '2026-04-01'), input: 0.5 }],
    ['a day that is none', { ...tokens('o3', '2026-04-01'), from: '2026-02-30' }],
    ['no source', { ...tokens('o3', '2026-04-01'), source: ' ' }],
    ['an unknown field', { ...tokens('o3', '2026-04-01'), currency: 'EUR' }],
  ])('with %s is refused', (_, entry) => {
    expect(priceEntriesInput.safeParse({ entries: [entry] }).success).toBe(false)
  })
})

describe('a price of days that are priced already', () => {
  it('cannot be added, changed or taken away; it can end', () => {
    const before = [tokens('o3', '2026-01-01')]
    const fault = (after: readonly PriceEntry[]) => faultOfChange(before, after, open)?.public
    expect(fault([...before, tokens('gpt-4.1', '2026-02-28')])).toContain('Must be 2026-03-01 or later')
    expect(fault([tokens('o3', '2026-01-01', undefined, 5)])).toContain('Must stay as it is for days before 2026-03-01')
    expect(fault([tokens('o3', '2026-01-01', '2026-02-28')])).toContain('Must stay as it is')
    expect(fault([])).toContain('Must still have tokens of o3 from 2026-01-01')
    expect(fault([tokens('o3', '2026-01-01', '2026-03-01'), tokens('o3', '2026-03-01', undefined, 5)])).toBeUndefined()
    expect(fault([tokens('o3', '2026-01-01', '2026-09-01'), tokens('gpt-4.1', '2026-03-01')])).toBeUndefined()
  })

  it('cannot come back to life after its end', () => {
    const ended = [tokens('o3', '2026-01-01', '2026-02-01')]
    expect(faultOfChange(ended, [tokens('o3', '2026-01-01')], open)).toBeInstanceOf(Problem)
  })
})

describe('operators’ prices', () => {
  it('are taken whole or not at all, by whoever has seen the ones before', async () => {
    const { prices } = await billingWorld('2026-03-10T12:00:00Z')
    const good = tokens('o3', '2026-03-11')
    expect(await prices.replace([good, tokens('o3', '2026-03-20')], anyVersion)).toBeInstanceOf(Problem)
    expect(await prices.replace([good], (version) => version === 7)).toMatchObject({ code: 'precondition_failed' })
    expect(await prices.read()).toEqual({ entries: [], version: 0 })
    expect(await prices.replace([good], anyVersion)).toEqual({ entries: [good], version: 1 })
    const both = await Promise.all(
      ['2026-04-01', '2026-05-01'].map((from) => prices.replace([good, tokens('o1', from as Day)], anyVersion)),
    )
    expect(both.filter((result) => result instanceof Problem)).toHaveLength(1)
    expect(await prices.read()).toMatchObject({ version: 2 })
  })

  it('begin on a day that no instance prices yet; what is priced by the day, on one that is not closed', async () => {
    const { prices, at } = await billingWorld('2026-03-10T23:55:00Z')
    const storage: PriceEntry = { kind: 'storage', microUsdPerGibMonth: 20_000, from: '2026-02-01', ...noted }
    expect(await prices.replace([tokens('o3', '2026-03-11')], anyVersion)).toMatchObject({
      public: 'entries.0.from: Must be 2026-03-12 or later: days before are priced already',
    })
    expect(await prices.replace([storage, tokens('o3', '2026-03-12')], anyVersion)).toMatchObject({ version: 1 })
    at('2026-03-12T00:00:01Z')
    expect(
      await prices.replace([{ ...storage, from: '2026-01-31' }, tokens('o3', '2026-03-12')], anyVersion),
    ).toBeInstanceOf(Problem)
  })

  it('count in the price book of every instance before the list’s, while they hold', async () => {
    const world = await billingWorld('2026-03-10T12:00:00Z')
    const batch = { input: 100_000, output: 200_000 }
    await world.prices.replace(
      [
        { ...tokens('gpt-4.1', '2026-03-11', '2026-03-12', 700_000), batch } as PriceEntry,
        tokens('gpt-4.1-2025-04-14', '2026-03-11', '2026-03-12', 900_000),
        tokens('of-ours', '2026-03-11'),
      ],
      anyVersion,
    )
    const kept = world.keepPrices()
    await kept.refresh()
    await kept.stop()
    const at = (day: Day) => (model: string) => world.book.costOf(model, MILLION, Date.parse(day))
    const list = createPriceBook().costOf('gpt-4.1', MILLION, 0)
    expect(['gpt-4.1', 'gpt-4.1-2025-04-14', 'of-ours'].map(at('2026-03-10'))).toEqual([list, list, undefined])
    expect(['gpt-4.1', 'gpt-4.1-2025-04-14', 'of-ours'].map(at('2026-03-11'))).toEqual([700_000, 900_000, 1_000_000])
    expect(['gpt-4.1', 'gpt-4.1-2025-04-14', 'of-ours'].map(at('2026-03-12'))).toEqual([list, list, 1_000_000])
    const batchAt = (model: string) => world.book.batchCostOf(model, MILLION, Date.parse('2026-03-11'))
    expect(['gpt-4.1', 'of-ours'].map(batchAt)).toEqual([100_000, 500_000])
  })
})

describe('operators’ prices of what is booked by the hour or the job', () => {
  it('count on their days, before the list’s', async () => {
    const { prices, ownPrices, keepPrices } = await billingWorld('2026-03-10T12:00:00Z')
    const dates = { from: '2026-03-11', to: '2026-03-12', ...noted } as const
    await prices.replace(
      [
        { kind: 'hosting', sku: 'Standard', microUsdPerHour: 2_500_000, ...dates },
        {
          kind: 'training',
          model: 'gpt-4.1',
          trainingType: 'standard',
          price: { kind: 'per-million-tokens', microUsd: 25_000_000 },
          ...dates,
        },
        {
          kind: 'training',
          model: 'o4-mini',
          trainingType: 'standard',
          price: { kind: 'per-hour', microUsd: 110_000_000 },
          ...dates,
        },
      ],
      anyVersion,
    )
    const kept = keepPrices()
    await kept.refresh()
    await kept.stop()
    const hosting = (at: string) => ownPrices.hostingAt(Date.parse(at)).usdPerHour
    expect(hosting('2026-03-10T23:59:59Z')).toEqual(hostingPrices.usdPerHour)
    expect(hosting('2026-03-11T00:00:00Z')).toEqual({ ...hostingPrices.usdPerHour, Standard: 2.5 })
    expect(hosting('2026-03-12T00:00:00Z')).toEqual(hostingPrices.usdPerHour)
    const estimate = (at: string, baseModel: string, method: 'dpo' | 'reinforcement') =>
      estimatePrice(ownPrices.trainingAt(Date.parse(at)), {
        baseModel,
        method,
        type: 'standard',
        tokens: 2_000_000,
        marginTokens: 0,
        epochs: 1,
      })
    expect(estimate('2026-03-10', 'gpt-4.1', 'dpo').kind).toBe('unknown')
    expect(estimate('2026-03-11', 'gpt-4.1-2025-04-14', 'dpo')).toMatchObject({ kind: 'tokens', microUsd: 50_000_000 })
    expect(estimate('2026-03-11', 'o4-mini', 'reinforcement')).toMatchObject({ microUsdPerHour: 110_000_000 })
    expect(estimate('2026-03-12', 'o4-mini', 'reinforcement')).toMatchObject({ microUsdPerHour: 100_000_000 })
  })
})
