import fc from 'fast-check'
import { createBlobCursors } from '../../src/usage/blob-cursors'
import { createPeriodReports, type PeriodReport } from '../../src/usage/period-reports'
import { parsePeriod, periodAt, periodKinds } from '../../src/usage/report-period'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { createUsageReader } from '../../src/usage/usage-reader'
import { sumFields } from '../../src/usage/usage-sums'
import { SHARES_MAX, writePeriodReports } from '../../src/usage/write-period-reports'
import type { StorageAccount } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import { intentOf, settlementOf } from '../metering/records'
import { bruteForce, histories, tenants, type History } from './histories'
import { freshUsage, writeHistories, type FreshUsage } from './usage-fixtures'
import { dyingStorage } from './watched-storage'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Monday, and the first of a month. */
const START = Date.UTC(2026, 5, 1)
const sample = (seed: number, days: number): History[] =>
  fc.sample(histories({ startMs: START, spanMinutes: days * 1_440, blobs: 3, callsMin: 150, callsMax: 160 }), {
    seed,
    numRuns: 1,
  })[0] ?? []

const writeAt = (usage: FreshUsage, nowMs: number, storage: StorageAccount = usage.storage) => {
  const clock = { ...usage.clock, now: () => nowMs }
  return writePeriodReports({
    rollUp: createRollUp({ ...usage, clock, storage }),
    reader: createUsageReader({ storage, clock }),
    reports: createPeriodReports(storage),
    tenantsWithUsage: createTenantsWithUsage({ storage, clock }),
    cursors: createBlobCursors(storage),
    clock,
    log: usage.log,
  })
}

const find = async ({ storage }: FreshUsage, tenantId: (typeof tenants)[number], name: string) => {
  const period = parsePeriod(name)
  if (!period) throw new Error(`${name} is no period`)
  return createPeriodReports(storage).get(TenantScope.ofPlatform(tenantId), period)
}

const sumsOf = (report: PeriodReport | undefined) =>
  report && Object.fromEntries(sumFields.map((field) => [field, report.totals[field]]))

describe('the reports of periods', () => {
  it('say of a day, a week and a month what adding up their calls says, each when it is over', async () => {
    const calls = sample(1, 7)
    const usage = await freshUsage(START + 8 * DAY)
    await writeHistories(usage, calls, START)
    await writeAt(usage, START + 7 * DAY + 4 * HOUR)
    await writeAt(usage, START + 30 * DAY + 4 * HOUR)

    for (const [name, days] of [
      ['2026-06-07', [6, 7]],
      ['2026-W23', [0, 7]],
      ['2026-06', [0, 30]],
    ] as const) {
      const [fromMs, toMs] = days.map((day) => START + day * DAY)
      const own = calls.filter(
        ({ intent }) =>
          intent.tenantId === 'ten_a' && intent.startedAt >= Number(fromMs) && intent.startedAt < Number(toMs),
      )
      const expected = bruteForce(own, { by: [], startOf: () => undefined }).get('[null]')
      expect(expected?.calls).toBeGreaterThan(0)
      const found = await find(usage, 'ten_a', name)
      expect(sumsOf(found)).toEqual(expected)
      const byAlias = bruteForce(own, { by: ['alias'], startOf: () => undefined })
      expect(Object.fromEntries(found?.aliases.rows.map(({ name, calls }) => [name, calls]) ?? [])).toEqual(
        Object.fromEntries([...byAlias].map(([key, { calls }]) => [JSON.parse(key)[1], calls])),
      )
      const byDay = found?.days.reduce((sum, { calls }) => sum + calls, 0)
      expect(byDay).toBe(name.length === 10 ? 0 : expected?.calls)
    }
  })

  it('are written anew once nothing can become known any more, and then no more', async () => {
    const usage = await freshUsage(START + 2 * DAY)
    const call = (name: string) => ({
      intent: intentOf(name, { startedAt: START + HOUR }),
      settlement: settlementOf(),
      blob: 0,
    })
    await writeHistories(usage, [call('first')], START)
    expect(await find(usage, 'ten_a', '2026-06-01')).toBeUndefined()
    await writeAt(usage, START + DAY + 3 * HOUR)
    expect(await find(usage, 'ten_a', '2026-06-01')).toMatchObject({ isFinal: false, totals: { calls: 1 } })

    await writeHistories(usage, [call('second')], START + DAY + 4 * HOUR)
    await writeAt(usage, START + DAY + 5 * HOUR)
    expect(await find(usage, 'ten_a', '2026-06-01')).toMatchObject({ isFinal: false, totals: { calls: 1 } })
    await writeAt(usage, START + DAY + 27 * HOUR)
    const final = await find(usage, 'ten_a', '2026-06-01')
    expect(final).toMatchObject({ isFinal: true, totals: { calls: 2 } })
    await writeAt(usage, START + 2 * DAY + 27 * HOUR)
    expect(await find(usage, 'ten_a', '2026-06-01')).toEqual(final)
  })

  it('are the same when a process dies before any of its requests and another goes on', async () => {
    const calls = sample(2, 1).slice(0, 12)
    const usage = await freshUsage(START + DAY + 4 * HOUR)
    await writeHistories(usage, calls, START)
    const nowMs = START + DAY + 4 * HOUR
    await createRollUp(usage).run()
    let deaths = 0
    for (let requests = 0; ; requests += 3) {
      const storage = dyingStorage(usage.storage, requests)
      // One tenant's failure is logged and leaves the run going: whether it died is the storage's to say.
      await writeAt(usage, nowMs, storage).catch(() => undefined)
      if (!storage.isDead) break
      deaths++
    }
    expect(deaths).toBeGreaterThan(3)
    for (const tenantId of tenants) {
      const own = calls.filter(({ intent }) => intent.tenantId === tenantId)
      expect(sumsOf(await find(usage, tenantId, '2026-06-01'))).toEqual(
        bruteForce(own, { by: [], startOf: () => undefined }).get('[null]'),
      )
    }
  })

  it('name the dearest keys and sum up the others', async () => {
    const usage = await freshUsage(START + DAY)
    const calls = Array.from({ length: SHARES_MAX + 20 }, (_, i) => ({
      intent: intentOf(i, { keyId: `key_${i}`, startedAt: START }),
      settlement: settlementOf({ costMicroUsd: i }),
      blob: 0,
    }))
    await writeHistories(usage, calls, START)
    await writeAt(usage, START + DAY + 3 * HOUR)
    const { keys } = (await find(usage, 'ten_a', '2026-06-01')) ?? {}
    expect(keys?.rows.map(({ name }) => name).slice(0, 2)).toEqual([`key_${SHARES_MAX + 19}`, `key_${SHARES_MAX + 18}`])
    expect(keys?.rows).toHaveLength(SHARES_MAX)
    expect(keys?.others).toMatchObject({ calls: 20, costMicroUsd: (19 * 20) / 2 })
  })

  it('are listed the latest first, page by page, of one kind and one tenant', async () => {
    const usage = await freshUsage(START)
    const reports = createPeriodReports(usage.storage)
    const [a, b] = [TenantScope.ofPlatform('ten_a'), TenantScope.ofPlatform('ten_b')]
    const template = { totals: {}, days: [], aliases: { rows: [], others: null }, keys: { rows: [], others: null } }
    for (let day = 0; day < 5; day++)
      for (const kind of ['day', 'week'] as const) {
        const { name, fromMs, toMs } = periodAt(kind, START + day * DAY)
        const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]
        const head = { period: name, kind, from, to, asOf: to, isFinal: true }
        await reports.put(a, { ...template, ...head } as unknown as PeriodReport)
      }
    const first = await reports.list(a, { kind: 'day', before: undefined, limit: 3 })
    const second = await reports.list(a, { kind: 'day', before: first.at(-1)?.period, limit: 3 })
    expect(first.map(({ period }) => period)).toEqual(['2026-06-05', '2026-06-04', '2026-06-03'])
    expect(second.map(({ period }) => period)).toEqual(['2026-06-02', '2026-06-01'])
    expect(await reports.list(a, { kind: 'week', before: undefined, limit: 9 })).toHaveLength(1)
    expect(await reports.list(b, { kind: 'day', before: undefined, limit: 9 })).toEqual([])
  })
})

describe('a period', () => {
  it.each([
    ['day', '2026-06-01T23:59:59.999Z', '2026-06-01', '2026-06-01', '2026-06-02'],
    ['week', '2026-06-07T12:00:00Z', '2026-W23', '2026-06-01', '2026-06-08'],
    // Weeks belong to the year of their Thursday.
    ['week', '2027-01-03T00:00:00Z', '2026-W53', '2026-12-28', '2027-01-04'],
    ['week', '2024-12-30T00:00:00Z', '2025-W01', '2024-12-30', '2025-01-06'],
    ['month', '2026-12-31T00:00:00Z', '2026-12', '2026-12-01', '2027-01-01'],
    ['month', '2024-02-29T00:00:00Z', '2024-02', '2024-02-01', '2024-03-01'],
  ] as const)('of a %s at %s is %s', (kind, at, name, from, to) => {
    const period = { kind, name, fromMs: Date.parse(from), toMs: Date.parse(to) }
    expect(periodAt(kind, Date.parse(at))).toEqual(period)
    expect(parsePeriod(name)).toEqual(period)
  })

  it('has a name that leads back to it, and the next one begins where it ends', () => {
    const any = fc.record({ kind: fc.constantFrom(...periodKinds), ms: fc.integer({ min: 0, max: Date.UTC(2100, 0) }) })
    fc.assert(
      fc.property(any, ({ kind, ms }) => {
        const period = periodAt(kind, ms)
        expect(period.fromMs <= ms && ms < period.toMs).toBe(true)
        expect(parsePeriod(period.name)).toEqual(period)
        expect(periodAt(kind, period.toMs).fromMs).toBe(period.toMs)
      }),
    )
  })

  it.each([
    '2026-02-30',
    '2026-13',
    '2026-00',
    '2026-W54',
    '2026-W00',
    '2025-W53',
    '2026',
    '26-01',
    '2026-1',
    ' 2026-01',
    '',
  ])('is not named by %p', (text) => expect(parsePeriod(text)).toBeUndefined())
})
