import fc from 'fast-check'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { createDayRows } from '../../src/usage/day-rows'
import { createRollUp } from '../../src/usage/run-roll-up'
import type { UsageColumns } from '../../src/usage/usage-columns'
import { dayTable } from '../../src/usage/usage-tables'
import { appendLines, histories, linesOfCall, tenants, type History } from './histories'
import { blobName, freshUsage, report, writeHistories, type FreshUsage } from './usage-fixtures'
import { watchedStorage } from './watched-storage'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** The evening of the first of three days. */
const START = Date.UTC(2026, 0, 1, 21)
const over = histories({ startMs: START, spanMinutes: 40 * 60, blobs: 3, callsMin: 40, callsMax: 60 })
const sample = (seed: number): History[] => fc.sample(over, { seed, numRuns: 1 })[0] ?? []

const span = {
  from: '2026-01-01T00:00:00Z',
  to: '2026-01-04T00:00:00Z',
  interval: 'day',
  groupBy: 'key,outcome,region',
}
const settled = { run: async () => {} }
const allReports = (usage: FreshUsage) => Promise.all(tenants.map((tenantId) => report(usage, tenantId, span, settled)))

const wholeDays = async ({ storage }: FreshUsage, tenantId: (typeof tenants)[number]) => {
  const rows = tenantTable<UsageColumns>(storage.table(dayTable)).range(TenantScope.ofPlatform(tenantId), '', '~')
  return (await Array.fromAsync(rows)).filter(({ columns }) => columns['whole'] === true).map(({ rowKey }) => rowKey)
}

/** The calls rolled up, with the clock behind the third day. */
async function rolledUp(calls: readonly History[]) {
  const usage = await freshUsage(START + 3 * DAY + 4 * HOUR)
  await writeHistories(usage, calls, START)
  await createRollUp(usage).run()
  return usage
}

describe('the rows of days', () => {
  it('change no answer, and are there for each day on which anything was used', async () => {
    const calls = sample(1)
    const usage = await rolledUp(calls)
    const before = await allReports(usage)
    await createRollUp(usage).compact()

    for (const tenantId of tenants) {
      const days = calls
        .filter(({ intent }) => intent.tenantId === tenantId)
        .map(({ intent }) => new Date(intent.startedAt).toISOString().slice(0, 10).replaceAll('-', ''))
      expect(await wholeDays(usage, tenantId)).toEqual([...new Set(days)].sort())
    }
    expect(await allReports(usage)).toEqual(before)
  })

  it('are what is read of them: no minute of their days is asked for', async () => {
    const usage = await rolledUp(sample(2))
    await createRollUp(usage).compact()
    const asked: string[] = []
    const watched = watchedStorage(usage.storage, async ({ url }) => void asked.push(decodeURIComponent(url)))
    await report({ ...usage, storage: watched }, 'ten_a', span, settled)

    const ranges = asked.flatMap((url) => /usageminutes.*RowKey ge '(\d+)'.*RowKey lt '(\d+)'/.exec(url) ?? []).slice(1)
    const days = await wholeDays(usage, 'ten_a')
    expect(days.length).toBeGreaterThan(1)
    expect(ranges.filter((text) => days.some((day) => text.startsWith(day) && text !== `${day}0000`))).toEqual([])
  })

  it('go when usage of their day becomes known afterwards, and come again with it', async () => {
    const calls = sample(3)
    const usage = await rolledUp(calls.slice(0, 20))
    await createRollUp(usage).compact()
    const before = await wholeDays(usage, 'ten_a')
    // Calls that were open for days settle in a blob of today.
    await writeHistories(usage, calls.slice(20), usage.clock.nowMs)
    const rollUp = createRollUp(usage)
    await rollUp.run()
    const between = await wholeDays(usage, 'ten_a')
    const late = await allReports(usage)
    await rollUp.compact()

    expect(between.length).toBeLessThan(before.length)
    expect(late).toEqual(await allReports(await rolledUp(calls)))
    expect(await allReports(usage)).toEqual(late)
    expect((await wholeDays(usage, 'ten_a')).length).toBeGreaterThanOrEqual(before.length)
  })

  it('never lack what was written before they were read, whenever between its maker’s requests that was', async () => {
    const scope = TenantScope.ofPlatform('ten_a')
    const dayStartMs = Date.UTC(2026, 0, 2)
    const ofThatDay = ({ intent }: History) =>
      intent.tenantId === 'ten_a' && Math.floor(intent.startedAt / DAY) * DAY === dayStartMs
    const [late, ...early] = sample(4).filter(ofThatDay)
    if (!late) throw new Error('the sample is too small')
    const expected = await report(await rolledUp([late, ...early]), 'ten_a', span, settled)
    const outcomes: string[] = []
    for (let moment = 0; ; moment++) {
      const usage = await rolledUp(early)
      let requests = 0
      const interrupted = watchedStorage(usage.storage, async () => {
        if (requests++ !== moment) return
        await appendLines(usage.container, blobName(usage.clock.nowMs, 9), linesOfCall(late))
        await createRollUp(usage).run()
      })
      const made = await createDayRows({ ...usage, storage: interrupted }).make(scope, dayStartMs)
      if (requests <= moment) break
      expect(await report(usage, 'ten_a', span, settled)).toEqual(expected)
      expect(await wholeDays(usage, 'ten_a')).toEqual(made === 'made' ? ['20260102'] : [])
      outcomes.push(made)
    }
    expect(new Set(outcomes)).toEqual(new Set(['made', 'changed']))
  })

  it('are made once the day is over for a while, and not before', async () => {
    const usage = await rolledUp(sample(5))
    usage.clock.nowMs = Date.UTC(2026, 0, 3, 2, 59)
    await createRollUp(usage).compact()
    expect(await wholeDays(usage, 'ten_a')).toEqual(['20260101'])
    usage.clock.nowMs = Date.UTC(2026, 0, 3, 3, 1)
    await createRollUp(usage).compact()
    expect(await wholeDays(usage, 'ten_a')).toEqual(['20260101', '20260102'])
  })
})
