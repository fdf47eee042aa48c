import fc from 'fast-check'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRollUp } from '../../src/usage/run-roll-up'
import { readUsage } from '../../src/usage/read-usage'
import { mergeGroups } from '../../src/usage/merge-groups'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import type { UsageColumns } from '../../src/usage/usage-columns'
import { usageTable } from '../../src/usage/usage-tables'
import { histories, tenants, type History } from './histories'
import { freshUsage, report, storedRows, writeHistories, type FreshUsage } from './usage-fixtures'
import { dyingStorage, watchedStorage } from './watched-storage'

const HOUR = 3_600_000
const TEN = Date.UTC(2026, 0, 1, 10)
/** Calls from ten to half past eleven, in blobs of both hours. */
const sample = (seed: number): History[] =>
  fc.sample(histories({ startMs: TEN, spanMinutes: 90, blobs: 3, callsMin: 20, callsMax: 25 }), {
    seed,
    numRuns: 1,
  })[0] ?? []

const span = {
  from: '2026-01-01T09:00:00Z',
  to: '2026-01-01T13:00:00Z',
  interval: 'hour',
  groupBy: 'key,outcome,region',
}
const allReports = (usage: FreshUsage) => Promise.all(tenants.map((tenantId) => report(usage, tenantId, span)))

/** The calls rolled up, with the clock where their hours are due to be compacted. */
async function dueForCompaction(calls: readonly History[]) {
  const usage = await freshUsage(TEN + 2 * HOUR)
  await writeHistories(usage, calls, TEN)
  await createRollUp(usage).run()
  usage.clock.nowMs = TEN + 80 * HOUR
  await createRollUp(usage).run()
  return { usage, before: await allReports(usage) }
}

const rowKinds = async (usage: FreshUsage) =>
  (await Promise.all(tenants.map((tenantId) => storedRows(usage, tenantId)))).flat().map(({ usage }) => usage.kind)

describe('the compaction of hours', () => {
  it('leaves one row for a tenant and hour, and every answer as it was', async () => {
    const { usage, before } = await dueForCompaction(sample(1))
    await createRollUp(usage).compact()

    const kinds = await rowKinds(usage)
    expect(kinds.every((kind) => kind === 'hour')).toBe(true)
    expect(kinds.length).toBeLessThanOrEqual(tenants.length * 2)
    expect(before[0]?.totals.calls).toBeGreaterThan(0)
    expect(await allReports(usage)).toEqual(before)
  })

  it('leaves minutes that are not due alone', async () => {
    const { usage } = await dueForCompaction(sample(2))
    usage.clock.nowMs = TEN + 72 * HOUR
    await createRollUp(usage).compact()

    expect(await rowKinds(usage)).not.toContain('hour')
  })

  it('loses and doubles nothing when a process dies before any of its requests, even if nobody goes on', async () => {
    const { usage, before } = await dueForCompaction(sample(3).slice(0, 9))

    let deaths = 0
    for (let requests = 0; ; requests++) {
      const outcome = await createRollUp({ ...usage, storage: dyingStorage(usage.storage, requests) })
        .compact()
        .then(
          () => 'lived',
          () => 'died',
        )
      expect(await allReports(usage)).toEqual(before)
      if (outcome === 'lived') break
      deaths++
    }
    expect(deaths).toBeGreaterThan(10)
    expect(await rowKinds(usage)).not.toContain('minute')
  })

  it('loses and doubles nothing when several processes compact at once', async () => {
    const { usage, before } = await dueForCompaction(sample(4))
    await Promise.all([1, 2, 3].map(() => createRollUp(usage).compact()))

    expect(await rowKinds(usage)).not.toContain('minute')
    expect(await allReports(usage)).toEqual(before)
  })

  it('is not seen half done by a query that runs meanwhile', async () => {
    const { usage, before } = await dueForCompaction(sample(5))
    const rows = tenantTable<UsageColumns>(usage.storage.table(usageTable)).partition(TenantScope.ofPlatform('ten_a'))
    const calls = async () => {
      const found = await Array.fromAsync(readUsage(rows, { fromMs: TEN, toMs: TEN + 3 * HOUR }))
      return mergeGroups(found.flatMap(({ groups }) => groups)).reduce((sum, { sums }) => sum + sums.calls, 0)
    }
    const over = new AbortController()
    const slowly = watchedStorage(usage.storage, () => sleep(2))
    const compacting = createRollUp({ ...usage, storage: slowly })
      .compact()
      .finally(() => over.abort())
    const seen = new Set<number>()
    for (let i = 0; i < 10_000 && !over.signal.aborted; i++) seen.add(await calls())
    await compacting

    expect([...seen]).toEqual([before[0]?.totals.calls])
    expect(await rowKinds(usage)).not.toContain('minute')
  })

  it('does not count a minute row that a process held up for days writes after it was taken in', async () => {
    const { usage, before } = await dueForCompaction(sample(6))
    const late = await storedRows(usage, 'ten_a')
    await createRollUp(usage).compact()
    const rows = tenantTable<UsageColumns>(usage.storage.table(usageTable)).partition(TenantScope.ofPlatform('ten_a'))
    for (const { rowKey, columns } of late) await rows.insert(rowKey, columns)

    expect(await rowKinds(usage)).toContain('minute')
    expect(await allReports(usage)).toEqual(before)
  })

  it('takes in blobs whose usage of the hour came to light after it was compacted', async () => {
    const calls = sample(7)
    const { usage } = await dueForCompaction(calls.slice(0, 12))
    await createRollUp(usage).compact()
    // A call that was open for days settles in a blob of today, and counts when it came in.
    await writeHistories(usage, calls.slice(12), usage.clock.nowMs)
    const after = await allReports(usage)

    const whole = await dueForCompaction(calls)
    expect(after).toEqual(whole.before)
  })
})
