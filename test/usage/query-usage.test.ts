import fc from 'fast-check'
import { Problem } from '../../src/base/problem'
import { TenantScope } from '../../src/storage/tenant-scope'
import { SKETCH_ERROR } from '../../src/usage/latency-sketch'
import { queryUsage, type UsageReport } from '../../src/usage/query-usage'
import { createRollUp } from '../../src/usage/run-roll-up'
import { intervals, type Interval } from '../../src/usage/usage-query'
import { addSums, groupFields, sumFields, zeroSums, type GroupField, type UsageSums } from '../../src/usage/usage-sums'
import { bruteForce, histories, tenants, trueSpans, type History } from './histories'
import { freshUsage, report, writeHistories, type FreshUsage } from './usage-fixtures'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 0, 31, 22)
const NOW = START + 6 * HOUR

/** Calls over four hours and the end of a month, rolled up once for all the queries. */
async function rolledUp(): Promise<{ usage: FreshUsage; calls: History[] }> {
  const over = histories({ startMs: START, spanMinutes: 240, blobs: 4, callsMin: 150, callsMax: 200 })
  const calls = fc.sample(over, { seed: 7, numRuns: 1 })[0] ?? []
  const usage = await freshUsage(NOW)
  await writeHistories(usage, calls, START)
  await createRollUp(usage).run()
  return { usage, calls }
}

const alreadyRolledUp = { run: async () => {} }

const cursorOf = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url')

const startOf: Record<Interval, (ms: number) => number | undefined> = {
  none: () => undefined,
  minute: (ms) => ms - (ms % 60_000),
  hour: (ms) => ms - (ms % HOUR),
  day: (ms) => ms - (ms % DAY),
  month: (ms) => Date.parse(`${new Date(ms).toISOString().slice(0, 7)}-01`),
}

describe('a usage query', () => {
  let prepared: Awaited<ReturnType<typeof rolledUp>>
  beforeAll(async () => (prepared = await rolledUp()))

  it('gives what adding up the calls one by one gives, for any span, interval and grouping', async () => {
    const { usage, calls } = prepared
    const queries = fc.record({
      tenantId: fc.constantFrom(...tenants),
      ends: fc.uniqueArray(fc.nat(300), { minLength: 2, maxLength: 2 }),
      groupBy: fc.subarray<GroupField>([...groupFields]),
      interval: fc.constantFrom(...intervals),
    })
    await fc.assert(
      fc.asyncProperty(queries, async ({ tenantId, ends, groupBy, interval }) => {
        const [from = 0, to = 0] = ends.sort((a, b) => a - b).map((minute) => START + minute * 60_000)
        const raw = {
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          groupBy: groupBy.join(','),
          interval,
        }
        const { rows, totals } = await report(usage, tenantId, raw, alreadyRolledUp)

        const counted = calls.filter(
          ({ intent }) => intent.tenantId === tenantId && intent.startedAt >= from && intent.startedAt < to,
        )
        const expected = bruteForce(counted, { by: groupBy, startOf: startOf[interval] })
        const found = new Map(
          rows.map((row) => [
            JSON.stringify([
              row.start === undefined ? null : Date.parse(row.start),
              ...groupBy.map((field) => row[field]),
            ]),
            Object.fromEntries(sumFields.map((field) => [field, row[field]])),
          ]),
        )
        expect(found).toEqual(expected)
        const sum: UsageSums = zeroSums()
        for (const sums of expected.values()) addSums(sum, sums)
        expect(Object.fromEntries(sumFields.map((field) => [field, totals[field]]))).toEqual(sum)
      }),
      { numRuns: 60 },
    )
  })

  it('shows a tenant nothing of another, whose calls lie in the same blobs', async () => {
    const { usage, calls } = prepared
    const own = await report(usage, 'ten_a', { groupBy: 'key,alias' }, alreadyRolledUp)
    const stranger = await report(usage, 'ten_nobody', { groupBy: 'key,alias' }, alreadyRolledUp)

    expect(own.totals.calls).toBe(
      calls.filter(({ intent, settlement }) => settlement && intent.tenantId === 'ten_a').length,
    )
    expect(own.totals.calls).toBeLessThan(calls.filter(({ settlement }) => settlement).length)
    expect(stranger).toMatchObject({ rows: [], totals: { ...zeroSums(), latencyP95Ms: null } })
  })

  it('covers the last 24 hours unless told otherwise, and says which span it counted', async () => {
    const { usage } = prepared
    const { from, to } = await report(usage, 'ten_a', {}, alreadyRolledUp)
    expect([from, to]).toEqual([new Date(NOW - DAY).toISOString(), new Date(NOW).toISOString()])
  })

  it('widens a span to whole minutes, and to whole hours where minutes are not kept any more', async () => {
    const { usage } = prepared
    const recent = await report(
      usage,
      'ten_a',
      { from: '2026-01-31T22:00:30Z', to: '2026-01-31T23:00:01Z' },
      alreadyRolledUp,
    )
    const past = await report(
      usage,
      'ten_a',
      { from: '2026-01-20T10:30:00+02:00', to: '2026-01-20T12:10:00Z' },
      alreadyRolledUp,
    )

    expect([recent.from, recent.to]).toEqual(['2026-01-31T22:00:00.000Z', '2026-01-31T23:01:00.000Z'])
    expect([past.from, past.to]).toEqual(['2026-01-20T08:00:00.000Z', '2026-01-20T13:00:00.000Z'])
  })

  it.each([
    [{ from: 'yesterday' }, 'from', '2026-01-31T08:00:00Z'],
    [{ from: '2026-13-01' }, 'from', 'Must be a date'],
    [{ to: '2026-01-31T08:00:00' }, 'to', 'with its zone'],
    [{ from: '2026-02-01', to: '2026-02-01' }, 'from', 'before "to"'],
    [{ from: '2026-02-02', to: '2026-02-01' }, 'from', 'before "to"'],
    [{ from: '2025-01-01', to: '2026-02-01' }, 'from', 'at most 366 days'],
    [{ from: '2025-12-01', to: '2026-02-01', interval: 'hour' }, 'from', 'at most 31 days'],
    [{ from: '2026-01-30', to: '2026-02-01', interval: 'minute' }, 'from', 'at most 1 day'],
    [{ from: '2026-01-20', to: '2026-01-20T05:00:00Z', interval: 'minute' }, 'from', 'minutes are not kept'],
    [{ interval: 'week' }, 'interval', 'minute, hour, day, month, none'],
    [{ groupBy: 'key,tenant' }, 'groupBy', 'key, alias, model, operation'],
    [{ tenant: 'ten_b' }, 'tenant', 'from, to, groupBy, interval'],
    [{ limit: '0' }, 'limit', '1 to 10000'],
    [{ limit: '10001' }, 'limit', '1 to 10000'],
    [{ limit: '1e3' }, 'limit', '1 to 10000'],
    [{ format: 'xml' }, 'format', 'json, csv'],
    [{ after: '' }, 'after', '"next"'],
    [{ after: 'nonsense' }, 'after', '"next"'],
    [{ after: cursorOf({}) }, 'after', '"next"'],
    [{ after: cursorOf([1, 2, 3]) }, 'after', '"next"'],
    [{ after: cursorOf([0, 1e300, 'none', [], '']) }, 'after', '"next"'],
    [{ after: cursorOf([START, NOW, 'none', ['key'], '']) }, 'after', 'same groupBy'],
    [{ after: cursorOf([0, NOW, 'none', [], '']) }, 'from', 'at most 366 days'],
    [{ after: cursorOf([NOW, START, 'none', [], '']) }, 'from', 'before "to"'],
    [{ after: 'x'.repeat(6_001) }, 'after', '"next"'],
  ])('that is not valid (%j) is refused by name, with what would be valid', async (raw, param, text) => {
    const { usage } = prepared
    const problem = await queryUsage({ ...usage, rollUp: alreadyRolledUp }, TenantScope.ofPlatform('ten_a'), raw)

    expect(problem).toBeInstanceOf(Problem)
    expect(problem).toMatchObject({ code: 'invalid_request', param })
    expect((problem as Problem).public).toContain(text)
  })

  it('has all its rows on pages, each row whole and once, with the totals of all on each', async () => {
    const { usage, calls } = prepared
    const own = calls.filter(({ intent }) => intent.tenantId === 'ten_a')
    const raw = { from: new Date(START).toISOString(), to: new Date(NOW).toISOString() }
    for (const [interval, limit] of [
      ['minute', '7'],
      ['hour', '1'],
      ['none', '5'],
    ] as const) {
      const query = { ...raw, interval, groupBy: 'key,alias,outcome,backend,region', limit }
      const whole = await report(usage, 'ten_a', { ...query, limit: '10000' }, alreadyRolledUp)
      const pages: UsageReport[] = []
      for (let after: string | undefined; pages.length === 0 || after !== undefined; after = pages.at(-1)?.next)
        pages.push(await report(usage, 'ten_a', after === undefined ? query : { ...query, after }, alreadyRolledUp))

      expect(pages.length).toBe(Math.ceil(whole.rows.length / Number(limit)))
      expect(pages.length).toBeGreaterThan(3)
      expect(pages.flatMap(({ rows }) => rows)).toEqual(whole.rows)
      for (const { totals } of pages) expect(totals).toEqual(whole.totals)
    }
    expect(own.length).toBeGreaterThan(30)
  })

  it('keeps the span of the first page though time goes on', async () => {
    const { usage } = prepared
    const first = await report(usage, 'ten_a', { groupBy: 'key', limit: '1' }, alreadyRolledUp)
    const later = { ...usage, clock: { ...usage.clock, now: () => NOW + HOUR } }
    const second = await report(
      later,
      'ten_a',
      { groupBy: 'key', limit: '1', after: first.next ?? '' },
      alreadyRolledUp,
    )
    expect([second.from, second.to]).toEqual([first.from, first.to])
  })

  it('gives percentiles within the sketch’s error of the calls’ own, for any span and grouping', async () => {
    const { usage, calls } = prepared
    for (const groupBy of [[], ['key'], ['alias', 'outcome'], ['region']] as const) {
      for (const interval of ['none', 'hour'] as const) {
        const spans = trueSpans(
          calls.filter(({ intent }) => intent.tenantId === 'ten_a'),
          { by: groupBy, startOf: startOf[interval] },
        )
        const raw = { from: new Date(START).toISOString(), to: new Date(NOW).toISOString() }
        const { rows } = await report(usage, 'ten_a', { ...raw, groupBy: groupBy.join(','), interval }, alreadyRolledUp)
        for (const row of rows) {
          const key = JSON.stringify([
            row.start === undefined ? null : Date.parse(row.start),
            ...groupBy.map((field) => row[field]),
          ])
          const { latency = [], firstByte = [], queued = [] } = spans.get(key) ?? {}
          expectQuantile(row.latencyP95Ms, latency, 0.95)
          expectQuantile(row.firstByteP99Ms, firstByte, 0.99)
          expectQuantile(row.queuedP50Ms, queued, 0.5)
        }
      }
    }
  })
})

/** By nearest rank; answers are rounded to a tenth. */
function expectQuantile(found: number | null, values: readonly number[], share: number): void {
  const sorted = [...values].sort((a, b) => a - b)
  const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]
  if (exact === undefined || found === null) expect([found, exact]).toEqual([null, undefined])
  else expect(Math.abs(found - exact)).toBeLessThanOrEqual(SKETCH_ERROR * exact + 0.051)
}
