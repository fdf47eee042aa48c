import type { TenantId } from '../../src/base/ids'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { intentOf, settlementOf } from '../metering/records'
import { freshUsage, writeHistories, type FreshUsage } from './usage-fixtures'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.UTC(2026, 5, 15, 12)

/** One call each, so long ago. */
const uses: readonly [TenantId, number][] = [
  ['ten_now', HOUR / 2],
  ['ten_hours', 5 * HOUR],
  ['ten_yesterday', DAY],
  ['ten_week', 7 * DAY],
  ['ten_month', 40 * DAY],
  ['ten_year', 300 * DAY],
]

async function rolledUp(): Promise<FreshUsage> {
  const usage = await freshUsage(NOW)
  for (const [tenantId, agoMs] of uses) {
    const startedAt = NOW - agoMs
    const call = { intent: intentOf(tenantId, { tenantId, startedAt }), settlement: settlementOf(), blob: 0 }
    await writeHistories(usage, [call, { ...call, intent: { ...call.intent, callId: `call_2${tenantId}` } }], startedAt)
  }
  await createRollUp(usage).run()
  return usage
}

describe('who used anything', () => {
  let usage: FreshUsage
  beforeAll(async () => (usage = await rolledUp()))
  const among = (fromMs: number, toMs: number, of = usage) =>
    Array.fromAsync(createTenantsWithUsage(of)({ fromMs, toMs }))

  it('is told by the hour of the last days', async () => {
    expect(await among(NOW - HOUR, NOW)).toEqual(['ten_now'])
    expect(await among(NOW - 6 * HOUR, NOW - 4 * HOUR)).toEqual(['ten_hours'])
    expect(await among(NOW - 3 * HOUR, NOW - 2 * HOUR)).toEqual([])
  })

  it.each([1, 2, 8, 31, 61, 62, 63, 100, 366])(
    'misses nobody in %p days, and names each once, in order',
    async (days) => {
      const fromMs = NOW - days * DAY
      const expected = uses.filter(([, agoMs]) => NOW - agoMs >= fromMs).map(([tenantId]) => tenantId)
      const found = await among(fromMs, NOW)
      expect(found).toEqual([...new Set(found)].sort())
      expect(found).toEqual(expect.arrayContaining(expected))
      // Further ones within a month of the beginning at most.
      const near = uses.filter(([, agoMs]) => NOW - agoMs >= fromMs - 31 * DAY).map(([tenantId]) => tenantId)
      expect(near).toEqual(expect.arrayContaining(found))
    },
  )

  it('is still told when their hours have been compacted', async () => {
    const later = { ...usage, clock: { ...usage.clock, now: () => NOW + 5 * DAY } }
    await createRollUp(later).run()
    await createRollUp(later).compact()
    expect(await among(NOW - HOUR, NOW, later)).toEqual(expect.arrayContaining(['ten_now']))
    expect(await among(NOW - 8 * DAY, NOW - 6 * DAY, later)).toEqual(['ten_week'])
  })

  it('is nobody in a span without a length', async () => {
    expect(await among(NOW, NOW)).toEqual([])
  })
})
